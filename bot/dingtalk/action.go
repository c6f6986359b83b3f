package dingtalk

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"huiyin/bot/card"
)

// mark is what a card's button or form carries: the action, and a nonce that tells this drawing of it from every other, so that the same
// press delivered twice is one deed. It holds ids only, and passes through DingTalk and the reader's device; the product asks of every
// action whether its actor may do it.
type mark struct {
	card.Action
	Nonce string `json:"k,omitempty"`
}

// checkAction refuses an action that a card could not carry, so that a test finds it and never a person.
func checkAction(a card.Action) error {
	if a.Name == "" {
		return fmt.Errorf("an action without a name")
	}
	if raw, err := encode(mark{a, "01234567"}); err != nil || len(raw) > maxButtonValue {
		return fmt.Errorf("action %s: %d bytes, a button carries %d", a.Name, len(raw), maxButtonValue)
	}
	return nil
}

func encodeMark(a card.Action, nonce string) (string, error) {
	if err := checkAction(a); err != nil {
		return "", err
	}
	raw, err := encode(mark{a, nonce})
	return string(raw), err
}

func decodeMark(value string) (mark, error) {
	var m mark
	if err := json.Unmarshal([]byte(value), &m); err != nil || m.Name == "" {
		return mark{}, malformed("a button that is not ours")
	}
	return m, nil
}

// deed is the id of a press: the same when it is delivered again.
func deed(track, user string, m mark, content []byte) string {
	what, _ := encode(m.Action) // text always encodes
	if m.Nonce == "" {
		what = content
	}
	sum := sha256.Sum256(what)
	return track + ":" + user + ":" + m.Nonce + ":" + hex.EncodeToString(sum[:6])
}
