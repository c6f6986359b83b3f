package feishu

// What Feishu accepts. Sizes of cards are bytes of the whole request, in which the card is a JSON string: every quote in it counts twice.
const (
	maxRequest  = 30 << 10           // of a request with a card; https://open.larkoffice.com/document/uAjLw4CM/ukTMukTMukTM/im-v1/message/create.md
	maxCard     = maxRequest - 1<<10 // of the card in it, escaped: the rest is for address, type and uuid
	maxTags     = 200                // components and texts of a card, code 300305; https://open.larkoffice.com/document/uAjLw4CM/ukzMukzMukzM/feishu-cards/card-json-v2-structure.md
	maxUUID     = 50                 // of what keeps a message from being sent twice, for an hour
	maxText     = 6_000              // of one text in bytes: markdown of more than about 10,000 characters has been seen to be cut without a word
	maxTitle    = 100                // a title has four lines at most
	maxSummary  = 200                // of the line in a notification; ours
	maxLabel    = 100                // of a button; https://open.larkoffice.com/document/uAjLw4CM/ukzMukzMukzM/feishu-cards/card-json-v2-components/interactive-components/button.md
	maxConfirm  = 300                // of a question before an action; ours
	maxURL      = 2_000              // ours
	maxInput    = 1_000              // https://open.larkoffice.com/document/uAjLw4CM/ukzMukzMukzM/feishu-cards/card-json-v2-components/interactive-components/input.md
	maxHint     = 100                // of the words in an empty input
	maxCaption  = 300                // over and under a field; ours
	maxOption   = 75                 // of an option's label; ours
	maxToast    = 150                // ours
	maxName     = 100                // of a component
	maxMenuKey  = 30                 // event_key of the bot's menu
	maxPage     = 50                 // of users and of departments; https://open.larkoffice.com/document/uAjLw4CM/ukTMukTMukTM/reference/contact-v3/user/find_by_department.md
	maxCommands = 100                // slash commands of an app
	maxForm     = 64 << 10           // of a form's definition on its way back, unpacked; ours
)
