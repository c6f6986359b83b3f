package dialog_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"huiyin/bot/card"
	"huiyin/internal/i18n"
	"huiyin/internal/people"
)

// inBothLanguages plays a scene once in each language and compares what was said with the golden file.
func inBothLanguages(t *testing.T, name string, scene func(r *room)) {
	t.Helper()
	for _, lang := range i18n.Languages() {
		t.Run(lang, func(t *testing.T) {
			r := newRoom(t, lang)
			scene(r)
			r.golden(name)
		})
	}
}

// label is a button's words in the room's language.
func (r *room) label(key string) string { return r.desk.Catalog.In(r.lang).T(key) }

// nameOf is how the choice between people of one name begins for that person: name and what tells them apart.
func (r *room) nameOf(handle string) string {
	for i, s := range staff() {
		if s[0] == handle {
			name := map[string]string{i18n.Chinese: s[1], i18n.English: s[2]}[r.lang]
			return name + " · " + []string{"总部", "研发部"}[i%2]
		}
	}
	r.t.Fatalf("nobody is called %s", handle)
	return ""
}

func TestPraiseIsGivenReadThankedEditedAndWithdrawn(t *testing.T) {
	inBothLanguages(t, "praise", func(r *room) {
		r.types("lin", "/praise @kai @mei 客户 retention 率很高,值得表扬 #retention")
		r.delivers()
		r.presses("kai", r.label("praise.thank"))
		r.delivers()
		r.types("kai", "/praise @lin thank you for the clear handover")
		r.delivers()
		r.presses("kai", r.label("dialog.edit"))
		r.fills("kai", card.Values{"text": {"thank you for the very clear handover #teamwork"}})
		r.delivers()
		r.types("kai", "/praise @mei oops")
		r.delivers()
		r.presses("kai", r.label("dialog.withdraw"))
		r.delivers()
		r.types("mei", "/praise @kai too late to withdraw")
		r.now = r.now.Add(11 * time.Minute)
		r.presses("mei", r.label("dialog.withdraw"))
	})
}

func TestPraiseThroughTheForm(t *testing.T) {
	inBothLanguages(t, "praise_form", func(r *room) {
		r.types("lin", "/praise")
		r.fills("lin", card.Values{"receivers": {"Ulin"}, "text": {"me"}})
		r.fills("lin", card.Values{"receivers": {"Ubot"}, "text": {"you"}})
		r.fills("lin", card.Values{"receivers": {"Ukai", "Umei"}, "text": {" \u200b "}})
		r.fills("lin", card.Values{"receivers": {"Ukai", "Umei"}, "text": {"谢谢两位"}, "tags": {"团队协作"}, "post": nil})
		r.delivers()
	})
}

func TestPraiseThatCannotBeGiven(t *testing.T) {
	inBothLanguages(t, "praise_refused", func(r *room) {
		r.types("lin", "/praise @lin I am great")
		r.types("lin", "/praise @bot nice build")
		r.types("lin", "/praise @guest hello")
		r.types("lin", "/praise @new welcome")
		r.types("lin", "/praise @everyone thanks all")
		r.types("lin", "/praise @kai")
		r.types("lin", "/praise @kai \u200b\u202e")
		r.types("lin", "/praise nobody in particular")
		r.types("lin", "/praise @kai "+strings.Repeat("好", 3001))
		r.presses("lin", r.label("dialog.openform"))
		r.delivers()
	})
}

func TestTwoPeopleOfOneName(t *testing.T) {
	inBothLanguages(t, "same_name", func(r *room) {
		r.says("lin", "表扬 @王伟 干得好")
		r.presses("lin", r.nameOf("wei2"))
		r.delivers()
		r.says("lin", "表扬 @王伟 忘记我")
		r.redis.FlushAll()
		r.presses("lin", r.nameOf("wei2"))
		r.says("lin", "表扬 @王凯 拼音也行 #团队协作")
		r.says("lin", "praise @wangkai by pinyin")
		r.says("lin", "praise @nosuchname hello")
	})
}

func TestANoteEndsInAnActionThatIsFollowedUp(t *testing.T) {
	inBothLanguages(t, "note", func(r *room) {
		r.types("lin", "/note @kai 这个项目的进度有点慢,需要调整一下")
		r.delivers()
		r.presses("kai", r.label("note.propose"))
		r.fills("kai", card.Values{"action": {" "}, "due": {"2026-11-01"}})
		r.fills("kai", card.Values{"action": {"每周一更新计划"}, "due": {"2026-12-01"}})
		r.delivers()
		r.presses("lin", r.label("note.propose.other"))
		r.fills("lin", card.Values{"action": {"每天站会说一句进度"}, "due": {"2026-12-01"}})
		r.delivers()
		r.presses("kai", r.label("note.agree"))
		r.delivers()
		r.now = time.Date(2026, 12, 1, 2, 0, 0, 0, time.UTC)
		must(r.t, r.desk.Feedback.FollowUp(r.ctx, r.now))
		r.delivers()
		r.presses("kai", r.label("note.done"))
		r.delivers()
		r.now = r.now.AddDate(0, 0, 3)
		must(r.t, r.desk.Feedback.FollowUp(r.ctx, r.now))
		r.delivers()
	})
}

func TestANoteThatMayNotBeWritten(t *testing.T) {
	inBothLanguages(t, "note_refused", func(r *room) {
		r.types("kai", "/note @lin my manager")
		r.types("lin", "/note @wei1 somebody else's report")
		r.types("lin", "/note @boss upwards")
		r.types("lin", "/note @lin myself")
		r.types("lin", "/note @kai @mei two at once")
		r.types("lin", "/note")
		r.types("boss", "/note @kai two levels down is fine")
		r.delivers()
		r.presses("boss", r.label("dialog.withdraw"))
		r.delivers()
	})
}

func TestAQuestionIsAnsweredInTheFormByTypingOrNotAtAll(t *testing.T) {
	inBothLanguages(t, "ask", func(r *room) {
		r.types("lin", "/ask @kai @mei @boss 上周的方案评审,我讲得清楚吗?")
		r.delivers()
		r.presses("kai", r.label("ask.answer"))
		r.fills("kai", card.Values{"answer": {"很清楚,例子再多一点更好"}})
		r.delivers()
		r.presses("mei", r.label("ask.type"))
		r.says("mei", "挺清楚的,结尾有点快")
		r.presses("mei", r.label("dialog.send"))
		r.delivers()
		r.presses("boss", r.label("ask.decline"))
		r.delivers()
		r.types("kai", "/ask")
		r.fills("kai", card.Values{"receivers": {"Umei"}, "text": {"怎么样?"}})
		r.delivers()
		r.presses("kai", r.label("dialog.withdraw"))
		r.delivers()
	})
}

func TestForgottenAnswerIsSaidSo(t *testing.T) {
	inBothLanguages(t, "ask_forgotten", func(r *room) {
		r.types("lin", "/ask @mei 怎么样?")
		r.delivers()
		r.presses("mei", r.label("ask.type"))
		r.redis.FlushAll()
		r.says("mei", "挺好的")
		r.presses("mei", r.label("help.start"))
	})
}

func TestKeyEventsAreLoggedAndListed(t *testing.T) {
	inBothLanguages(t, "event", func(r *room) {
		r.types("kai", "/log 整理了退款知识库 https://wiki.example.com/refunds")
		r.types("kai", "/log")
		r.fills("kai", card.Values{"text": {"上线了新报表"}, "link": {"javascript:alert(1)"}})
		r.fills("kai", card.Values{"text": {"上线了新报表"}, "on": {"2027-01-01"}})
		r.fills("kai", card.Values{"text": {"上线了新报表"}, "on": {"2026-11-20"}})
		r.types("kai", "/feedback events")
		r.types("mei", "/feedback @kai events")
		r.types("lin", "/feedback @kai events")
	})
}

func TestFeedbackIsListedByMonthAndPage(t *testing.T) {
	inBothLanguages(t, "list", func(r *room) {
		r.types("kai", "/feedback")
		for month := range 3 {
			for n := range 3 {
				r.now = time.Date(2026, time.Month(9+month), 1+n, 2, 0, 0, 0, time.UTC)
				r.transcript.Reset()
				r.types("lin", "/praise @kai 表扬第"+strings.Repeat("一", n+1)+"次 #团队协作")
			}
		}
		r.types("lin", "/note @kai 说话请慢一点")
		r.delivers()
		r.transcript.Reset()
		r.types("kai", "/feedback")
		r.presses("kai", r.label("list.older"))
		r.presses("kai", r.label("list.newest"))
		r.presses("kai", r.label("list.side.given"))
		r.types("lin", "/feedback given")
		r.types("lin", "/feedback @kai")
		r.types("hr", "/feedback @kai")
		r.types("mei", "/feedback @kai")
		r.types("boss", "/feedback @hr")
	})
}

func TestHelpIsByRoleAndForgivesSlips(t *testing.T) {
	inBothLanguages(t, "help", func(r *room) {
		r.types("kai", "/help")
		r.types("lin", "/help")
		r.types("kai", "/help praise")
		r.types("kai", "/huiyin")
		r.says("kai", "priase @lin hello")
		r.says("kai", "what can you do?")
		r.says("kai", "帮助 征求")
	})
}

func TestSettingsTakeEffectAtOnce(t *testing.T) {
	inBothLanguages(t, "settings", func(r *room) {
		r.types("kai", "/settings")
		r.presses("kai", r.label("settings.change"))
		r.fills("kai", card.Values{"zone": {"Europe/Berlin"}, "from": {"1140"}, "to": {"540"}, "mute": {"1"}})
		r.types("kai", "/lang")
		other := map[string]string{i18n.Chinese: "English", i18n.English: "中文"}[r.lang]
		r.presses("kai", other)
		r.types("kai", "/help praise")
		r.types("kai", "/lang de")
		r.types("hr", "/settings")
		r.presses("hr", r.label("values.start"))
		r.fills("hr", card.Values{"values": {"诚信 | integrity\n创新｜innovation\n\n担当"}})
		r.types("hr", "/praise")
	})
}

func TestTheHomePage(t *testing.T) {
	inBothLanguages(t, "home", func(r *room) {
		r.opensHome("kai")
		r.types("lin", "/praise @kai 谢谢")
		r.types("lin", "/note @kai 请准时")
		r.types("mei", "/ask @kai 怎么样?")
		r.delivers()
		r.opensHome("kai")
		r.opensHome("lin")
		r.presses("kai", r.label("ask.answer"))
	})
}

func TestSomebodyWhomNobodyKnows(t *testing.T) {
	inBothLanguages(t, "stranger", func(r *room) {
		r.says("new", "praise @kai hello")
		r.types("guest", "/praise @kai hello")
		r.opensHome("new")
	})
}

func TestPrivateWordsWhereOthersReadAlong(t *testing.T) {
	inBothLanguages(t, "overheard", func(r *room) {
		r.mentions("lin", "note @kai too slow")
		r.mentions("lin", "feedback")
		r.mentions("lin", "praise @kai well done")
		r.delivers()
	})
}

func TestPraiseReachesWhoeverIsElsewhere(t *testing.T) {
	inBothLanguages(t, "elsewhere", func(r *room) {
		r.moves("feishu", "lin", "kai")
		r.says("lin", "表扬 @李梅 @kai 两边都收得到")
		r.delivers()
		r.types("lin", "/praise")
		r.fills("lin", card.Values{"receivers": {"Ukai"}, "elsewhere": {"person:" + r.ids["mei"].String()}, "text": {"谢谢你们"}})
		r.delivers()
		r.types("lin", "/praise")
		r.fills("lin", card.Values{"text": {"没有人"}})
		r.says("lin", "note @李梅 \u200b")
		r.presses("lin", r.label("dialog.openform"))
		r.fills("lin", card.Values{"text": {"请早点说"}})
		r.delivers()
	})
}

func TestAPlatformThatPicksNobodyIsGivenCandidates(t *testing.T) {
	inBothLanguages(t, "candidates", func(r *room) {
		r.types("lin", "/praise @boss thanks")
		r.listed = true
		r.moves("feishu", "lin", "kai")
		r.types("lin", "/praise")
		r.fills("lin", card.Values{"receivers": {"Ukai", "person:" + r.ids["hr"].String()}, "text": {"谢谢"}})
		r.delivers()
		r.types("lin", "/note")
		r.fills("lin", card.Values{"receivers": {"person:" + r.ids["boss"].String()}, "text": {"不在名单上的人"}})
		r.fills("lin", card.Values{"receivers": {"person:" + r.ids["mei"].String()}, "text": {"请早点说"}})
		r.delivers()
		r.types("kai", "/ask")
		r.fills("kai", card.Values{"receivers": {"person:" + uuid.Nil.String()}, "text": {"怎么样?"}})
		r.fills("kai", card.Values{"receivers": {"person:" + r.ids["kai"].String()}, "text": {"怎么样?"}})
	})
}

func TestMessagesGoWhereOneWantsThem(t *testing.T) {
	inBothLanguages(t, "settings_platform", func(r *room) {
		r.moves("feishu", "kai")
		r.types("kai", "/settings")
		r.presses("kai", r.label("settings.change"))
		r.fills("kai", card.Values{"platform": {"feishu"}})
		r.presses("kai", r.label("settings.change"))
		r.fills("kai", card.Values{"platform": {"dingtalk"}})
		r.fills("kai", card.Values{"platform": {"last"}})
		dir, err := r.store.Load(r.ctx, r.org)
		must(r.t, err)
		if got := dir.LastUsed(r.ids["kai"]); got != "feishu" {
			r.t.Errorf("kai was seen last on %q, want feishu", got)
		}
		r.on = platform
		r.types("kai", "/help praise")
		if dir, err = r.store.Load(r.ctx, r.org); err != nil || dir.LastUsed(r.ids["kai"]) != platform {
			r.t.Errorf("kai was seen last on %q (%v), want %s", dir.LastUsed(r.ids["kai"]), err, platform)
		}
	})
}

func TestASecondAccountIsAskedAboutByWhatItHasInCommon(t *testing.T) {
	inBothLanguages(t, "second_account", func(r *room) {
		r.moves("feishu")
		r.lists("feishu",
			people.AccountSeen{ExternalID: "Ukai", EmployeeNo: "e03", Mobile: "13800138003", Kind: people.Member},
			people.AccountSeen{ExternalID: "Umei", EmployeeNo: "E04", Kind: people.Member},
			people.AccountSeen{ExternalID: "Unew", EmployeeNo: "E99", Kind: people.Member},
		)
		r.says("kai", "help")
		r.presses("kai", r.label("claim.yes"))
		r.says("mei", "help")
		r.presses("mei", r.label("claim.no"))
		r.moves("dingtalk")
		r.lists("dingtalk", people.AccountSeen{ExternalID: "Ukai", Mobile: "+86 138-0013-8003", Kind: people.Member})
		r.says("kai", "help")
		r.presses("kai", r.label("claim.yes"))
		r.says("kai", "settings")
	})
}

func TestValuesAreReadInTheReadersLanguage(t *testing.T) {
	r := newRoom(t, i18n.Chinese)
	r.types("kai", "/lang en")
	r.types("lin", "/praise @kai 及时 #客户第一 #Team-Work #adhoc")
	r.delivers()
	r.types("kai", "/feedback")
	r.presses("kai", "Given")
	r.types("kai", "/praise @lin thanks #customer-first")
	r.delivers()
	r.golden("values")
}
