package fault

import (
	"fmt"
	"testing"
)

// vendor is a chat platform, played by its simulator, as this test needs it. People go by the ids of their accounts.
type vendor interface {
	// env are the settings by which the bot finds the platform.
	env() []string
	// reach tells where the bot answers.
	reach(address string)
	enroll(id string)
	// misbehave makes the vendor take messages without saying so, refuse and fail, from now on.
	misbehave()
	// praise has somebody praise the person with that number; ok says that it was acknowledged.
	praise(author string, receiver, number int) (delivery int, ok bool, err error)
	// again delivers the same once more, as a delivery of its own.
	again(delivery int) (next int, ok bool, err error)
	// conversation is what the bot has said to somebody that stays.
	conversation(id string) []string
	// connections is how many are open, when the bot holds them.
	connections() int
	// objections are what the vendor found wrong with what the bot sent.
	objections() []string
}

// row is a platform and what is promised on it.
type row struct {
	name    string
	column  string // of the people file
	prefix  string // of the ids of accounts, in the vendor's form
	doubles int    // messages in a thousand that may come twice (R03): a vendor without any key or history leaves no better choice
	open    func(t *testing.T, stream bool) vendor
}

// account is the id of somebody's account.
func (r row) account(i int) string { return fmt.Sprintf("%s%05d", r.prefix, i) }

func vendors() []row {
	return []row{
		{name: "slack", column: "slack_id", prefix: "UFAULT", open: openSlack},
		{name: "feishu", column: "feishu_id", prefix: "ou_fault", open: openFeishu},
		{name: "dingtalk", column: "dingtalk_id", prefix: "UFAULT", open: openDingTalk(true)},
		{name: "dingtalk without cards", column: "dingtalk_id", prefix: "UFAULT", open: openDingTalk(false), doubles: 100},
	}
}

// scale is how generous the vendor's limits are: as they are where two processes have to keep them together, and ten times that where
// answers to commands come faster than any firm could type them.
func scale(stream bool) float64 {
	if stream {
		return 1
	}
	return 10
}
