package dingtalk

// What DingTalk accepts. It counts the bytes of JSON, in which a Chinese character takes three, and publishes few numbers; where it
// publishes none, a number of ours stands with the reason.
const (
	// maxParam is msgParam as a whole. Published for groups alone; we keep it everywhere.
	// https://open.dingtalk.com/document/orgapp/the-robot-sends-a-group-message
	maxParam = 15_000
	// maxTextBytes is what is left of it for markdown beside the title, five labels and five addresses of maxURL at the most.
	maxTextBytes = 9_000
	// maxTitle is a title in characters: what a conversation list and a notification show of one. Not published.
	maxTitle = 60
	// maxHeading is the title inside a message, in characters. Not published.
	maxHeading = 150
	// maxLabel is a button's label, in characters: enough to tell two people of one name apart. Not published.
	maxLabel = 50
	// maxButtons is how many buttons a message has: sampleActionCard2 to sampleActionCard5.
	// https://open.dingtalk.com/document/orgapp/types-of-messages-sent-by-robots
	maxButtons = 5
	// maxURL is an address behind a link or a button, in bytes. Not published; browsers and phones take as many.
	maxURL = 1_000
	// maxRecipients is how many people one batchSend reaches. https://open.dingtalk.com/document/orgapp/chatbots-send-one-on-one-chat-messages-in-batches
	maxRecipients = 20

	// maxTrack is an outTrackId, in characters. https://open.dingtalk.com/document/orgapp/create-and-deliver-cards
	maxTrack = 64
	// maxCardParams is all values of a card together, in bytes. Not published; 20 KiB have been seen to work.
	maxCardParams = 18_000
	// maxFormFields is how many questions a card's form asks. Not published; a phone shows about as many.
	maxFormFields = 10
	// maxOptions is how many options one of its menus has. Not published; more cannot be looked through.
	maxOptions = 100
	// maxInput is the text that a card's field begins with, in characters; a form with a longer one is a page. Not published.
	maxInput = 1_000
	// maxFieldLabel and maxOptionText are labels in characters. Not published.
	maxFieldLabel = 200
	maxOptionText = 75
	// maxButtonValue is what a button carries, in bytes; ids only.
	maxButtonValue = 1_000
)
