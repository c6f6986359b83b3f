package dingtalk

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"

	"huiyin/bot"
	"huiyin/internal/fault"
)

// mergeFor is how long a message waits for others with the same words, which travel with it in one call of the monthly quota.
const mergeFor = 30 * time.Millisecond

// batches puts direct messages together that say the same to several people.
type batches struct {
	s    *DingTalk
	mu   sync.Mutex
	open map[packed]*batch
}

// packed is a message as the robot's API takes it.
// https://open.dingtalk.com/document/orgapp/types-of-messages-sent-by-robots
type packed struct{ key, param string }

// batch is a call that is about to be made, or has been.
type batch struct {
	what  packed
	users []string
	timer *time.Timer
	done  chan struct{}
	ref   string           // processQueryKey
	fate  map[string]error // of each user; without one the message was taken
}

func newBatches(s *DingTalk) *batches { return &batches{s: s, open: map[packed]*batch{}} }

// send sends a message to one person, with others who get the same. It comes back with the fate of that person's.
func (b *batches) send(ctx context.Context, user string, what packed) (bot.Ref, error) {
	if err := ctx.Err(); err != nil {
		return bot.Ref{}, away("dingtalk.away", "batchSend", err, 0)
	}
	if lasts := b.s.rest.closed(toPerson + user); lasts > 0 {
		return bot.Ref{}, away("dingtalk.busy", "flowControlled", errShut, lasts)
	}
	mine := b.join(user, what) //nolint:contextcheck // a batch is not one sender's: when one gives up the others still want theirs
	select {
	case <-mine.done:
	case <-ctx.Done():
		if b.leave(mine, user) {
			return bot.Ref{}, away("dingtalk.away", "batchSend", ctx.Err(), 0)
		}
		return bot.Ref{}, fmt.Errorf("calling batchSend: %w: %w", bot.ErrUnknownOutcome, ctx.Err())
	}
	if err := mine.fate[user]; err != nil {
		return bot.Ref{}, err
	}
	return bot.Ref{Channel: user, ID: mine.ref}, nil
}

func (b *batches) join(user string, what packed) *batch {
	b.mu.Lock()
	defer b.mu.Unlock()
	open := b.open[what]
	if open == nil || slices.Contains(open.users, user) {
		open = &batch{what: what, done: make(chan struct{})}
		b.open[what] = open
		open.timer = time.AfterFunc(mergeFor, func() { b.fire(open) })
	}
	if open.users = append(open.users, user); len(open.users) == maxRecipients && open.timer.Stop() {
		go b.fire(open)
	}
	if len(open.users) == maxRecipients {
		delete(b.open, what)
	}
	return open
}

// leave takes a person out of a call that has not been made. It is false when it may have been.
func (b *batches) leave(mine *batch, user string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.open[mine.what] != mine {
		return false
	}
	mine.users = slices.DeleteFunc(mine.users, func(u string) bool { return u == user })
	return true
}

// fire makes the call.
func (b *batches) fire(mine *batch) {
	b.mu.Lock()
	if b.open[mine.what] == mine {
		delete(b.open, mine.what)
	}
	users := mine.users
	b.mu.Unlock()
	defer close(mine.done)
	if len(users) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(b.s.crew.ctx, 2*callTimeout) // no single sender's: the others wait as well
	defer cancel()
	mine.ref, mine.fate = b.s.deliver(ctx, users, mine.what)
}

// deliver makes one call for several people and gives what became of each. A person who is not there must not keep the others from
// getting theirs: then everybody gets a call of their own.
func (s *DingTalk) deliver(ctx context.Context, users []string, what packed) (ref string, fate map[string]error) {
	fate = map[string]error{}
	ref, err := s.batchSend(ctx, users, what, fate)
	switch {
	case err == nil:
	case len(users) > 1 && fault.Is(err, fault.NotFound):
		for _, user := range users {
			one, err := s.batchSend(ctx, []string{user}, what, fate)
			if ref = orElse(ref, one); err != nil {
				fate[user] = err
			}
		}
	default:
		for _, user := range users {
			fate[user] = err
		}
	}
	return ref, fate
}

// flowPause is when to try again for a person who gets too much at once. DingTalk names neither the limit nor its period; what it says of
// others is by the minute.
const flowPause = time.Minute

// toPerson begins the name under which a person is noted who wants no messages for a while.
const toPerson = "to "

// batchSend sends a message of the robot to up to twenty people. Those for whom DingTalk did not take it are noted in fate.
// https://open.dingtalk.com/document/orgapp/chatbots-send-one-on-one-chat-messages-in-batches
func (s *DingTalk) batchSend(ctx context.Context, users []string, what packed, fate map[string]error) (string, error) {
	var got struct {
		Key      string   `json:"processQueryKey"`
		Invalid  []string `json:"invalidStaffIdList"`
		Flow     []string `json:"flowControlledStaffIdList"`
		Filtered []string `json:"filteredStaffIdList"`
	}
	err := s.rest.call(ctx, request{
		name: "batchSend", method: http.MethodPost, path: "/v1.0/robot/oToMessages/batchSend", once: true,
		body: map[string]any{"robotCode": s.cfg.RobotCode, "userIds": users, "msgKey": what.key, "msgParam": what.param},
	}, &got)
	if err != nil {
		return "", err
	}
	for _, user := range append(got.Invalid, got.Filtered...) {
		fate[user] = fault.New(fault.NotFound, "dingtalk.recipient", "Code", "invalidStaffId")
	}
	for _, user := range got.Flow {
		fate[user] = away("dingtalk.busy", "flowControlled", errShut, flowPause)
		s.rest.close(toPerson+user, flowPause)
	}
	return got.Key, nil
}

// groupSend sends a message of the robot to a group. https://open.dingtalk.com/document/orgapp/the-robot-sends-a-group-message
func (s *DingTalk) groupSend(ctx context.Context, group string, what packed) (bot.Ref, error) {
	var got struct {
		Key string `json:"processQueryKey"`
	}
	err := s.rest.call(ctx, request{
		name: "groupMessages", method: http.MethodPost, path: "/v1.0/robot/groupMessages/send", once: true,
		body: map[string]any{"robotCode": s.cfg.RobotCode, "openConversationId": group, "msgKey": what.key, "msgParam": what.param},
	}, &got)
	if err != nil {
		return bot.Ref{}, err
	}
	return bot.Ref{Channel: group, ID: got.Key}, nil
}

// pack writes a message whose buttons all have addresses as the robot's API takes it.
func (m Message) pack() (packed, error) {
	key := "sampleMarkdown"
	param := map[string]string{"title": m.Title, "text": m.Text}
	switch n := len(m.Buttons); {
	case n == 1:
		key = "sampleActionCard"
		param["singleTitle"], param["singleURL"] = m.Buttons[0].Label, m.Buttons[0].URL
	case n > 1:
		key = "sampleActionCard" + strconv.Itoa(n)
		for i, b := range m.Buttons {
			param["actionTitle"+strconv.Itoa(i+1)], param["actionURL"+strconv.Itoa(i+1)] = b.Label, b.URL
		}
	}
	raw, err := encode(param)
	if err != nil {
		return packed{}, fmt.Errorf("writing a message: %w", err)
	}
	if len(raw) > maxParam {
		return packed{}, fmt.Errorf("a message of %d bytes; DingTalk takes %d", len(raw), maxParam)
	}
	return packed{key, string(raw)}, nil
}

// spoken is a message as a session webhook takes it, which is the format of custom robots.
// https://open.dingtalk.com/document/orgapp/custom-bot-send-message-type
func (m Message) spoken() any {
	type btn struct {
		Title string `json:"title"`
		URL   string `json:"actionURL"`
	}
	switch len(m.Buttons) {
	case 0:
		return map[string]any{"msgtype": "markdown", "markdown": map[string]string{"title": m.Title, "text": m.Text}}
	case 1:
		return map[string]any{"msgtype": "actionCard", "actionCard": map[string]string{
			"title": m.Title, "text": m.Text, "singleTitle": m.Buttons[0].Label, "singleURL": m.Buttons[0].URL,
		}}
	}
	btns := make([]btn, len(m.Buttons))
	for i, b := range m.Buttons {
		btns[i] = btn{b.Label, b.URL}
	}
	return map[string]any{"msgtype": "actionCard", "actionCard": map[string]any{"title": m.Title, "text": m.Text, "btnOrientation": "0", "btns": btns}}
}
