package slack

// What Slack accepts, in characters. Slack does not say whether it counts code points or UTF-16 units; we count units, which are
// never fewer. https://docs.slack.dev/reference/block-kit/blocks and https://docs.slack.dev/reference/block-kit/composition-objects
const (
	maxMessageBlocks = 50     // https://docs.slack.dev/reference/block-kit/blocks
	maxViewBlocks    = 100    // https://docs.slack.dev/reference/views
	maxMessageUnits  = 9_500  // all texts of a message; undocumented: 9,597 was accepted, 11,341 was msg_blocks_too_long (bolt-js#2867)
	maxViewUnits     = 60_000 // all texts of a view: at most 4 bytes each in JSON, so that a view stays under maxViewBytes
	maxFrameUnits    = 3_000  // all texts of a view that travels in a Socket Mode acknowledgement
	maxViewBytes     = 250_000
	maxFallback      = 200 // of a message's text beside its blocks, before escaping; Slack recommends at most 4,000

	maxText     = 3_000 // of a section or a context; https://docs.slack.dev/reference/block-kit/composition-objects/text-object
	maxField    = 2_000 // one field of a section
	maxFields   = 10    // fields of a section
	maxHeader   = 150   // https://docs.slack.dev/reference/block-kit/blocks/header-block
	maxElements = 25    // https://docs.slack.dev/reference/block-kit/blocks/actions-block

	maxButtonLabel  = 75 // https://docs.slack.dev/reference/block-kit/block-elements/button-element
	maxButtonValue  = 2_000
	maxURL          = 3_000
	maxID           = 255 // action_id, block_id, callback_id
	maxConfirmTitle = 100 // https://docs.slack.dev/reference/block-kit/composition-objects/confirmation-dialog-object
	maxConfirmText  = 300
	maxConfirmWord  = 30

	maxViewTitle   = 24 // also submit; https://docs.slack.dev/reference/views/modal-views
	maxMetadata    = 3_000
	maxLabel       = 2_000 // https://docs.slack.dev/reference/block-kit/blocks/input-block
	maxHint        = 2_000
	maxPlaceholder = 150
	maxInput       = 3_000 // https://docs.slack.dev/reference/block-kit/block-elements/plain-text-input-element
	maxOptionText  = 75    // https://docs.slack.dev/reference/block-kit/composition-objects/option-object
	maxOptionValue = 75    // 150 in some documents, 75 in others
	maxOptions     = 100   // of a select or of one of its groups
	maxGroups      = 100
	maxBoxes       = 10 // checkboxes and radio buttons
	maxFewOptions  = 5  // as many radio buttons as are read at a glance; a choice of ours, not of Slack's
	maxFieldError  = 500

	maxFrame = 20 * 1024 // a Socket Mode response of this size is dropped without a word; https://docs.slack.dev/apis/events-api/using-socket-mode
)
