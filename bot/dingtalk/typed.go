package dingtalk

import (
	"strings"

	"huiyin/bot"
)

// ownNames are the product's own words, after which the command's name follows.
var ownNames = []string{"huiyin", "回音"}

// spaces are the spaces that DingTalk leaves where a mention stood, and those of Chinese keyboards; full-width signs become the plain
// ones that commands are made of.
var spaces = strings.NewReplacer("\u00a0", " ", "\u2005", " ", "\u2003", " ", "\u2002", " ", "\u2009", " ", "\u3000", " ", "\t", " ", "＠", "@")

// typed is a text as commands read it.
func typed(s string) string {
	s = strings.TrimSpace(spaces.Replace(tidy(s)))
	if rest, ok := strings.CutPrefix(s, "／"); ok {
		s = "/" + rest
	}
	return s
}

// partsOf puts together what DingTalk took apart: the text without its mentions, and the people mentioned, of whom nobody knows where
// they stood. They come right after the command's name, as a set, so that what is typed means the same wherever somebody was mentioned.
func partsOf(text string, mentioned []bot.Mentioned) []bot.Part {
	text = typed(text)
	if len(mentioned) == 0 {
		if text == "" {
			return nil
		}
		return []bot.Part{{Text: text}}
	}
	head, rest := firstWord(text)
	if ownName(head) {
		word, more := firstWord(rest)
		head, rest = strings.TrimSpace(head+" "+word), more
	}
	var parts []bot.Part
	if head != "" {
		parts = append(parts, bot.Part{Text: head + " "})
	}
	for _, m := range mentioned {
		parts = append(parts, bot.Part{Mention: &m})
	}
	if rest != "" {
		parts = append(parts, bot.Part{Text: " " + rest})
	}
	return parts
}

func firstWord(s string) (word, rest string) {
	end := strings.IndexAny(s, " \n")
	if end < 0 {
		return s, ""
	}
	return s[:end], strings.TrimLeft(s[end:], " \n")
}

func ownName(word string) bool {
	word = strings.ToLower(strings.TrimLeft(word, "/"))
	for _, own := range ownNames {
		if word == own {
			return true
		}
	}
	return false
}
