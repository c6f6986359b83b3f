package dialog

import (
	"context"
	"slices"

	"huiyin/bot"
	"huiyin/bot/card"
	"huiyin/bot/command"
)

// Commands is the one table of commands: parsing, help, the manifests and docs/*/commands.md all follow from it.
func Commands() command.Table[*Talk] {
	return command.Table[*Talk]{
		{Name: "praise", Aliases: []string{"表扬", "赞", "kudos"}, Key: "praise", Run: praiseCommand},
		{Name: "note", Aliases: []string{"改进", "改进建议"}, For: command.Managers, Key: "note", Run: noteCommand},
		{Name: "ask", Aliases: []string{"征求", "征求反馈"}, Key: "ask", Run: askCommand},
		{Name: "feedback", Aliases: []string{"反馈", "我的反馈"}, Key: "list", Run: listCommand},
		{Name: "log", Aliases: []string{"关键事件", "记录"}, Key: "event", Run: eventCommand},
		{Name: "settings", Aliases: []string{"设置"}, Key: "settings", Run: settingsCommand},
		{Name: "lang", Aliases: []string{"语言", "language"}, Key: "lang", Run: langCommand},
		{Name: "help", Aliases: []string{"帮助", "?", "？"}, Key: "help", Run: helpCommand},
	}
}

// Root is the command that every other is also a word of.
const Root = "huiyin"

func roots() []string { return []string{Root, "回音"} }

// private are the commands whose words are nobody else's business, so that they are refused where others read along.
func private(name string) bool {
	return slices.Contains([]string{"note", "feedback", "log", "settings"}, name)
}

// reads tells the private commands that show something from those whose words are recorded.
func reads(name string) bool { return slices.Contains([]string{"feedback", "settings"}, name) }

// action is a row of the table of actions: what a button or a form's submission does.
type action struct {
	run       func(ctx context.Context, t *Talk, a card.Action, values card.Values) (bot.Reply, error)
	strangers bool // also for accounts that are nobody's yet
}

// Names of actions. They stand in messages that people may press months later, so a name is never given a new meaning.
const (
	actPick         = "pick"          // receiver chosen among several of one name: session, place, person
	actReopen       = "reopen"        // open the form of a draft kept in a session: session
	actPraiseForm   = "praise.form"   // open an empty form, or for that person
	actPraiseSend   = "praise.send"   // the form's submission
	actPraiseThank  = "praise.thank"  // praise
	actPraiseEdit   = "praise.edit"   // praise: opens the form
	actPraiseSave   = "praise.save"   // praise: the form's submission
	actPraiseRecall = "praise.recall" // praise
	actNoteForm     = "note.form"     // [person]
	actNoteSend     = "note.send"     //
	actNoteEdit     = "note.edit"     // note
	actNoteSave     = "note.save"     // note
	actNoteRecall   = "note.recall"   // note
	actNotePropose  = "note.propose"  // note: opens the form
	actNoteProposed = "note.proposed" // note: the form's submission
	actNoteAgree    = "note.agree"    // note
	actNoteDone     = "note.done"     // note
	actAskForm      = "ask.form"      //
	actAskSend      = "ask.send"      //
	actAskAnswer    = "ask.answer"    // ask: opens the form
	actAskAnswered  = "ask.answered"  // ask: the form's submission
	actAskType      = "ask.type"      // ask: the next message in the conversation is the answer
	actAskTyped     = "ask.typed"     // session: send what was typed
	actAskForget    = "ask.forget"    // session: do not
	actAskDecline   = "ask.decline"   // ask
	actAskRecall    = "ask.recall"    // ask
	actEventForm    = "event.form"    //
	actEventSend    = "event.send"    //
	actEventRecall  = "event.recall"  // key event
	actList         = "list"          // side, person, cursor
	actHelp         = "help"          // [command]
	actSettings     = "settings"      // shows them
	actSettingsForm = "settings.form" //
	actSettingsSave = "settings.save" //
	actLang         = "lang"          // language
	actValuesForm   = "values.form"   //
	actValuesSave   = "values.save"   //
	actNoticeShow   = "notice.show"   // kind, subject: the whole of what a message of several lists
	actClaim        = "claim"         // yes, this account is mine
	actClaimRefuse  = "claim.refuse"  // no, it is not
)

// Actions is the one table of actions. A test asserts that every action that any card carries has a row.
func Actions() map[string]action {
	return map[string]action{
		actPick:         {run: pickReceiver},
		actReopen:       {run: reopenDraft},
		actPraiseForm:   {run: praiseOpen},
		actPraiseSend:   {run: praiseSubmitted},
		actPraiseThank:  {run: praiseThank},
		actPraiseEdit:   {run: praiseEdit},
		actPraiseSave:   {run: praiseSave},
		actPraiseRecall: {run: praiseRecall},
		actNoteForm:     {run: noteOpen},
		actNoteSend:     {run: noteSubmitted},
		actNoteEdit:     {run: noteEdit},
		actNoteSave:     {run: noteSave},
		actNoteRecall:   {run: noteRecall},
		actNotePropose:  {run: notePropose},
		actNoteProposed: {run: noteProposed},
		actNoteAgree:    {run: noteAgree},
		actNoteDone:     {run: noteDone},
		actAskForm:      {run: askOpen},
		actAskSend:      {run: askSubmitted},
		actAskAnswer:    {run: askAnswer},
		actAskAnswered:  {run: askAnswered},
		actAskType:      {run: askType},
		actAskTyped:     {run: askTyped},
		actAskForget:    {run: askForget},
		actAskDecline:   {run: askDecline},
		actAskRecall:    {run: askRecall},
		actEventForm:    {run: eventOpen},
		actEventSend:    {run: eventSubmitted},
		actEventRecall:  {run: eventRecall},
		actList:         {run: listPage},
		actHelp:         {run: helpOpen},
		actSettings:     {run: settingsShow},
		actSettingsForm: {run: settingsOpen},
		actSettingsSave: {run: settingsSave},
		actLang:         {run: langPicked},
		actValuesForm:   {run: valuesOpen},
		actValuesSave:   {run: valuesSave},
		actNoticeShow:   {run: noticeShow},
		actClaim:        {run: claim, strangers: true},
		actClaimRefuse:  {run: claimRefuse, strangers: true},
	}
}
