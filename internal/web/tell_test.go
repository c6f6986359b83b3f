package web

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"

	"huiyin/bot"
	"huiyin/bot/card"
)

// Whoever was handed an address may act with it; what is private they shall not read with it.
func TestAPrivateAnswerGoesToItsReaderAndNotOnThePage(t *testing.T) {
	private := bot.Reply{Card: &card.Card{Tone: card.Private, Title: "Feedback I received", Blocks: []card.Block{card.Quoted("please be on time")}}}
	for name, away := range map[string]bool{"it arrives": false, "the platform is away": true} {
		s := open(t)
		s.answer = func(bot.Event) (bot.Reply, error) { return private, nil }
		var told []bot.Reader
		s.pages.Tell = func(_ context.Context, to bot.Reader, c card.Card) error {
			if away {
				return errors.New("away")
			}
			if c.Title != private.Card.Title {
				t.Errorf("%s: the card %q was sent", name, c.Title)
			}
			told = append(told, to)
			return nil
		}
		page := s.post(s.button("en", card.Button{Label: "My feedback", Action: card.Act("list")}), nil)
		if page.Status != http.StatusOK || strings.Contains(page.Body, "on time") || strings.Contains(page.Body, "Feedback I received") {
			t.Errorf("%s: the page answers %d and shows what is private:\n%s", name, page.Status, page.Body)
		}
		if want := map[bool]int{true: 0, false: 1}[away]; len(told) != want || want == 1 && told[0].User != "staff1" {
			t.Errorf("%s: it was sent to %v", name, told)
		}
		if strings.Contains(s.log.String(), "on time") {
			t.Errorf("%s: the log has it:\n%s", name, &s.log)
		}
	}
}
