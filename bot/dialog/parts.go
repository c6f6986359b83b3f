package dialog

import (
	"strings"

	"github.com/google/uuid"

	"huiyin/bot/card"
	"huiyin/internal/fault"
	"huiyin/internal/i18n"
)

// argID is the id that an action is about.
func argID(a card.Action) (uuid.UUID, error) {
	id, err := uuid.Parse(a.Arg(0))
	if err != nil {
		return uuid.Nil, fault.New(fault.NotFound, "dialog.action.unknown").Because(err)
	}
	return id, nil
}

// sure is the question before something is taken back; KEY is its text.
func sure(say i18n.Printer, key string) *card.Confirm {
	return &card.Confirm{Title: say.T("dialog.sure"), Text: say.T(key), Yes: say.T("dialog.withdraw"), No: say.T("dialog.cancel")}
}

func (t *Talk) sure(key string) *card.Confirm { return sure(t.Say, key) }

// cut shortens text by characters, with an ellipsis.
func cut(s string, most int) string {
	r := []rune(s)
	if len(r) <= most {
		return s
	}
	return strings.TrimSpace(string(r[:most-1])) + "…"
}

func firstNonEmpty(a, b string) string {
	if a != "" {
		return a
	}
	return b
}
