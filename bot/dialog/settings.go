package dialog

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"huiyin/bot"
	"huiyin/bot/card"
	"huiyin/bot/command"
	"huiyin/feedback"
	"huiyin/internal/fault"
	"huiyin/internal/i18n"
	"huiyin/internal/people"
)

// settingsCommand is /settings.
func settingsCommand(_ context.Context, t *Talk, _ command.Input) (bot.Reply, error) {
	return bot.Reply{Card: t.settingsCard()}, nil
}

func settingsShow(_ context.Context, t *Talk, _ card.Action, _ card.Values) (bot.Reply, error) {
	return bot.Reply{Card: t.settingsCard()}, nil
}

func (t *Talk) settingsCard() *card.Card {
	s := t.Who.Settings
	c := &card.Card{Title: t.Say.T("settings.title"), Blocks: []card.Block{
		card.Facts{Items: []card.Fact{
			{Label: t.Say.T("settings.lang"), Value: card.Text(t.Say.T("lang.name." + t.Say.Lang()))},
			{Label: t.Say.T("settings.zone"), Value: card.Text(t.Dir.Location(t.Who).String())},
			{Label: t.Say.T("settings.quiet"), Value: card.Text(t.quietHours(s))},
			{Label: t.Say.T("settings.mute"), Value: card.Text(t.mutedUntil(s))},
		}},
		card.Small(t.Say.T("settings.hint")),
	}}
	if t.choosesPlatform() {
		facts := c.Blocks[0].(card.Facts)
		facts.Items = append(facts.Items, card.Fact{Label: t.Say.T("settings.platform"), Value: card.Text(t.platformName(t.chosenPlatform(s)))})
		c.Blocks[0] = facts
	}
	buttons := []card.Button{{Label: t.Say.T("settings.change"), Action: card.Act(actSettingsForm), Style: card.Primary}}
	for _, lang := range i18n.Languages() {
		if lang != t.Say.Lang() {
			buttons = append(buttons, card.Button{Label: t.Catalog.In(lang).T("lang.switch"), Action: card.Act(actLang, lang)})
		}
	}
	if people.May(t.Dir, t.Who.ID, people.ConfigureFirm, noPerson) {
		buttons = append(buttons, card.Button{Label: t.Say.T("values.start"), Action: card.Act(actValuesForm)})
	}
	c.Blocks = append(c.Blocks, card.Buttons{Buttons: buttons})
	return c
}

func (t *Talk) quietHours(s people.Settings) string {
	if s.QuietFrom == s.QuietTo {
		return t.Say.T("settings.quiet.never")
	}
	return clock(s.QuietFrom) + " – " + clock(s.QuietTo)
}

func (t *Talk) mutedUntil(s people.Settings) string {
	if !s.MutedUntil.After(t.At) {
		return t.Say.T("settings.mute.off")
	}
	until := s.MutedUntil.In(t.Dir.Location(t.Who))
	return t.Say.T("settings.mute.until", "Day", dayIn(t.Say, until, t.At), "Time", until.Format("15:04"))
}

func clock(minutes int) string { return fmt.Sprintf("%02d:%02d", minutes/60, minutes%60) }

// settingsOpen opens the form.
func settingsOpen(_ context.Context, t *Talk, _ card.Action, _ card.Values) (bot.Reply, error) {
	s := t.Who.Settings
	zone := t.Dir.Location(t.Who).String()
	var langs, hours, zones []card.Option
	for _, l := range i18n.Languages() {
		langs = append(langs, card.Option{Value: l, Label: t.Say.T("lang.name." + l)})
	}
	for m := 0; m < 24*60; m += 30 {
		hours = append(hours, card.Option{Value: strconv.Itoa(m), Label: clock(m)})
	}
	for _, z := range commonZones(zone) {
		zones = append(zones, card.Option{Value: z, Label: z})
	}
	mute := []card.Option{{Value: "0", Label: t.Say.T("settings.mute.off")}, {Value: "1", Label: t.Say.T("settings.mute.day")}, {Value: "7", Label: t.Say.T("settings.mute.week")}}
	muted := "0"
	if s.MutedUntil.After(t.At) {
		mute = append(mute, card.Option{Value: "keep", Label: t.mutedUntil(s)})
		muted = "keep"
	}
	f := card.Form{
		Title: t.Say.T("settings.title"), Submit: t.Say.T("dialog.save"), Action: card.Act(actSettingsSave),
		Fields: []card.Field{
			card.ChoiceField{Name: "lang", Label: t.Say.T("settings.lang"), Options: langs, Value: []string{t.Say.Lang()}},
			card.ChoiceField{Name: "zone", Label: t.Say.T("settings.zone"), Options: zones, Value: []string{zone}},
			card.ChoiceField{Name: "from", Label: t.Say.T("settings.quiet.from"), Hint: t.Say.T("settings.quiet.hint"), Options: hours, Value: []string{strconv.Itoa(s.QuietFrom / 30 * 30)}},
			card.ChoiceField{Name: "to", Label: t.Say.T("settings.quiet.to"), Options: hours, Value: []string{strconv.Itoa(s.QuietTo / 30 * 30)}},
			card.ChoiceField{Name: "mute", Label: t.Say.T("settings.mute"), Options: mute, Value: []string{muted}},
		},
	}
	if t.choosesPlatform() {
		options := []card.Option{{Value: lastUsed, Label: t.platformName(lastUsed)}}
		for _, name := range t.reached() {
			options = append(options, card.Option{Value: name, Label: t.platformName(name)})
		}
		f.Fields = append(f.Fields, card.ChoiceField{
			Name: "platform", Label: t.Say.T("settings.platform"), Hint: t.Say.T("settings.platform.hint"), Options: options, Value: []string{t.chosenPlatform(s)},
		})
	}
	return bot.Reply{Form: &f}, nil
}

// lastUsed stands for no choice of a platform where there has to be one.
const lastUsed = "last"

// choosesPlatform reports whether there is anything to choose.
func (t *Talk) choosesPlatform() bool { return len(t.reached()) > 1 }

// reached are the platforms on which the person has an account, and which are connected: one that is not can do nothing.
func (t *Talk) reached() []string {
	return slices.DeleteFunc(t.Dir.Reached(t.Who.ID), func(name string) bool { return t.Abilities(name) == bot.Abilities{} })
}

// chosenPlatform is where the person wants messages; a place where they have no account any more is no choice.
func (t *Talk) chosenPlatform(s people.Settings) string {
	if slices.Contains(t.reached(), s.Platform) {
		return s.Platform
	}
	return lastUsed
}

func (t *Talk) platformName(name string) string {
	if key := "settings.platform." + name; t.Catalog.Has(key) {
		return t.Say.T(key)
	}
	return name
}

// commonZones are the zones offered, that of the person among them.
func commonZones(mine string) []string {
	zones := []string{
		"Asia/Shanghai", "Asia/Hong_Kong", "Asia/Taipei", "Asia/Singapore", "Asia/Tokyo", "Asia/Seoul", "Asia/Bangkok", "Asia/Jakarta",
		"Asia/Ho_Chi_Minh", "Asia/Manila", "Asia/Kuala_Lumpur", "Asia/Kolkata", "Asia/Dubai", "Australia/Sydney", "Europe/London",
		"Europe/Berlin", "Europe/Paris", "Europe/Moscow", "Africa/Johannesburg", "America/Sao_Paulo", "America/New_York", "America/Chicago",
		"America/Denver", "America/Los_Angeles", "UTC",
	}
	if !slices.Contains(zones, mine) {
		zones = append([]string{mine}, zones...)
	}
	return zones
}

func settingsSave(ctx context.Context, t *Talk, _ card.Action, v card.Values) (bot.Reply, error) {
	s := t.Who.Settings
	s.Lang, s.TimeZone = v.One("lang"), v.One("zone")
	from, errFrom := strconv.Atoi(v.One("from"))
	to, errTo := strconv.Atoi(v.One("to"))
	if errFrom != nil || errTo != nil {
		return bot.Reply{}, fault.New(fault.Invalid, "settings.quiet.bad").In("from")
	}
	s.QuietFrom, s.QuietTo = from, to
	switch days, err := strconv.Atoi(v.One("mute")); {
	case err != nil: // keep
	case days == 0:
		s.MutedUntil = time.Time{}
	default:
		s.MutedUntil = t.At.AddDate(0, 0, days)
	}
	if chosen := v.One("platform"); chosen == lastUsed {
		s.Platform = ""
	} else if chosen != "" { // the form of somebody with one account does not ask
		s.Platform = chosen
	}
	return t.saveSettings(ctx, s)
}

// saveSettings stores what the person chose; the answer is already in the new language (row S3-43).
func (t *Talk) saveSettings(ctx context.Context, s people.Settings) (bot.Reply, error) {
	if err := t.Accounts.SaveSettings(ctx, t.Dir, t.cause(), t.Who.ID, s); err != nil {
		return bot.Reply{}, err
	}
	dir, err := t.People.Refresh(ctx, t.Org.ID)
	if err != nil {
		return bot.Reply{}, err
	}
	t.Dir = dir
	t.Who, _ = dir.Person(t.Who.ID)
	t.Say = t.Catalog.In(dir.Language(t.Who))
	c := t.settingsCard()
	c.Tone, c.Title = card.Good, t.Say.T("settings.saved")
	return bot.Reply{Card: c, Replace: true}, nil
}

// langCommand is /lang zh or /lang en; bare, it offers both.
func langCommand(ctx context.Context, t *Talk, in command.Input) (bot.Reply, error) {
	word, _ := in.Word()
	lang := ""
	switch word = strings.ToLower(word); {
	case strings.HasPrefix(word, "zh"), strings.HasPrefix(word, "中"), word == "chinese", word == "cn":
		lang = i18n.Chinese
	case strings.HasPrefix(word, "en"), strings.HasPrefix(word, "英"):
		lang = i18n.English
	case word != "":
		return bot.Reply{}, fault.New(fault.Invalid, "lang.unknown").In("lang")
	}
	if lang != "" {
		return t.setLang(ctx, lang)
	}
	var buttons []card.Button
	for _, l := range i18n.Languages() {
		buttons = append(buttons, card.Button{Label: t.Say.T("lang.name." + l), Action: card.Act(actLang, l)})
	}
	return t.tell(card.Ask, t.Say.T("lang.ask"), card.Buttons{Buttons: buttons}), nil
}

func langPicked(ctx context.Context, t *Talk, a card.Action, _ card.Values) (bot.Reply, error) {
	return t.setLang(ctx, t.Catalog.Match(a.Arg(0)))
}

func (t *Talk) setLang(ctx context.Context, lang string) (bot.Reply, error) {
	s := t.Who.Settings
	s.Lang = lang
	return t.saveSettings(ctx, s)
}

// valuesOpen opens the form of the firm's values: one a line, Chinese | English.
func valuesOpen(ctx context.Context, t *Talk, _ card.Action, _ card.Values) (bot.Reply, error) {
	if err := people.Check(t.Dir, t.Who.ID, people.ConfigureFirm, noPerson); err != nil {
		return bot.Reply{}, err
	}
	values, err := t.Feedback.Values(ctx, t.Org.ID) // the latest: what is shown is what is replaced
	if err != nil {
		return bot.Reply{}, err
	}
	lines := make([]string, len(values))
	for i, v := range values {
		lines[i] = strings.TrimSuffix(v.Name+" | "+v.NameEn, " | ")
	}
	return bot.Reply{Form: &card.Form{
		Title: t.Say.T("values.title"), Submit: t.Say.T("dialog.save"), Action: card.Act(actValuesSave),
		Fields: []card.Field{card.TextField{
			Name: "values", Label: t.Say.T("values.label"), Hint: t.Say.T("values.hint"), Value: strings.Join(lines, "\n"), Multiline: true, Optional: true, Max: 1000,
		}},
	}}, nil
}

func valuesSave(ctx context.Context, t *Talk, _ card.Action, v card.Values) (bot.Reply, error) {
	var values []feedback.Value
	for _, line := range strings.Split(v.One("values"), "\n") {
		zh, en, _ := strings.Cut(strings.ReplaceAll(line, "｜", "|"), "|")
		one := feedback.Value{Name: strings.TrimSpace(zh), NameEn: strings.TrimSpace(en)}
		if one != (feedback.Value{}) {
			values = append(values, one)
		}
	}
	if err := t.Feedback.SaveValues(ctx, t.Dir, t.cause(), values); err != nil {
		return bot.Reply{}, err
	}
	t.forgetValues(t.Org.ID)
	return t.tell(card.Good, t.Say.T("values.saved", "Number", len(values))), nil
}
