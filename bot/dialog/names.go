package dialog

import (
	"strings"
	"time"

	"github.com/google/uuid"

	"huiyin/internal/i18n"
	"huiyin/internal/people"
)

// nameIn is what a reader of that language calls a person.
func nameIn(lang string, p people.Person) string {
	if lang == i18n.English && p.NameEn != "" {
		return p.NameEn
	}
	return p.Name
}

// namesIn joins the names of people as the language does: 林晓、王凯, or "Lin, Kai".
func namesIn(say i18n.Printer, dir *people.Directory, ids []uuid.UUID) string {
	names := make([]string, 0, len(ids))
	for _, id := range ids {
		p, _ := dir.Person(id)
		names = append(names, nameIn(say.Lang(), p))
	}
	return strings.Join(names, say.T("common.comma"))
}

// dayIn writes a calendar day: 11月22日, or 22 Nov; with the year when it is not that of now.
func dayIn(say i18n.Printer, day, now time.Time) string {
	key := "common.day"
	if day.Year() != now.Year() {
		key = "common.day.year"
	}
	return say.T(key, "Year", day.Year(), "Month", int(day.Month()), "MonthName", day.Month().String()[:3], "Day", day.Day())
}
