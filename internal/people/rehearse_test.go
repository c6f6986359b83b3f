package people_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"pgregory.net/rapid"

	"huiyin/internal/i18n"
	"huiyin/internal/people"
	"huiyin/internal/sheet"
)

// made counts the ids of all tests, so that no two people of one directory get the same.
var made atomic.Uint64

func newID() uuid.UUID {
	id := uuid.UUID{0: 0xf1}
	binary.BigEndian.PutUint64(id[8:], made.Add(1))
	return id
}

func empty() *people.Directory {
	return people.NewDirectory(people.Org{ID: uuid.UUID{1}, TimeZone: "Asia/Shanghai", Lang: "zh-CN"}, 1, nil, nil)
}

func read(t *testing.T, csv string) sheet.Table {
	t.Helper()
	table, err := sheet.Read(strings.NewReader(csv), sheet.Limits{})
	if err != nil {
		t.Fatalf("reading the file: %v", err)
	}
	return table
}

// imported is the directory after importing the file, which must have no problems.
func imported(t *testing.T, d *people.Directory, csv string) (*people.Directory, people.Plan) {
	t.Helper()
	plan, problems := people.Rehearse(d, read(t, csv), people.Operator, newID)
	if len(problems) > 0 {
		t.Fatalf("%q has problems: %v", csv, problems)
	}
	return d.Apply(plan.Changes(), d.Version()+1), plan
}

func TestAFileMakesAFirm(t *testing.T) {
	d, plan := imported(t, empty(), "\ufeff上级工号;工号;姓名;英文名;邮箱;部门;职务;角色;入职日期;时区;语言;Slack ID;飞书ID;钉钉id;在职\n"+
		"E1;E2;林晓;Lin Xiao;Lin.Xiao@Example.com; 销售部 / 华东 ;客户经理;员工;2024/3/1;Asia/Tokyo;中文;U2;ou_2;d2;是\n"+
		";E1;王总;;;销售部;总经理;executive;;;;;;;\n"+
		"E2;Ｅ３;离开者;;;;;hr;20200102;;EN;;;;离职\n")
	if len(plan.Create) != 3 || len(plan.Update) != 0 || plan.Unchanged != 0 {
		t.Fatalf("got %d new, %d changed, %d unchanged", len(plan.Create), len(plan.Update), plan.Unchanged)
	}
	boss, _ := d.ByEmployeeNo("E1")
	lin, _ := d.ByEmployeeNo("E2")
	want := people.Person{
		OrgID: uuid.UUID{1}, ID: lin.ID, EmployeeNo: "E2", Name: "林晓", NameEn: "Lin Xiao", Email: "lin.xiao@example.com", Department: "销售部/华东",
		Title: "客户经理", Role: people.Employee, ManagerID: boss.ID, HiredOn: time.Date(2024, 3, 1, 0, 0, 0, 0, time.UTC), TimeZone: "Asia/Tokyo",
		Lang: "zh-CN", Active: true, Settings: people.DefaultSettings(),
	}
	if diff := cmp.Diff(want, lin); diff != "" {
		t.Errorf("the first row (-want +got):\n%s", diff)
	}
	if boss.Role != people.Executive || boss.ManagerID != uuid.Nil || !boss.Active {
		t.Errorf("the second row: %+v", boss)
	}
	gone, ok := d.ByEmployeeNo("E3")
	if !ok || gone.Active || gone.Role != people.HR || gone.Lang != "en" || gone.ManagerID != lin.ID || gone.HiredOn.Format(time.DateOnly) != "2020-01-02" {
		t.Errorf("the third row: %+v", gone)
	}
	for platform, account := range map[string]string{"slack": "U2", "feishu": "ou_2", "dingtalk": "d2"} {
		if i, p, ok := d.ByIdentity(platform, account); !ok || p.ID != lin.ID || i.State != people.Confirmed || i.Kind != people.Member {
			t.Errorf("on %s: %+v is %+v's", platform, i, p)
		}
	}
}

func TestARowChangesOnlyWhatItSays(t *testing.T) {
	d, _ := imported(t, empty(), "employee_no,name,email,manager,title,role,slack_id,hired_on\nE1,张三,,,总监,admin,,\nE2,李四,li@x.cn,E1,专员,hr,U2,2024-01-01\n")
	li, _ := d.ByEmployeeNo("E2")
	li.Settings = people.Settings{Lang: "en", Digest: true}
	d = d.Apply(people.Changes{People: []people.Person{li}}, 3)

	d, plan := imported(t, d, "Employee No,Name*,E-Mail,title\nE2,, ,高级专员\n")
	got, _ := d.ByEmployeeNo("E2")
	want := li
	want.Title = "高级专员"
	if diff := cmp.Diff(want, got); diff != "" || !slices.Equal(plan.Update[0].Fields, []string{"title"}) {
		t.Errorf("an empty cell or a missing column changed something; fields %v (-want +got):\n%s", plan.Update[0].Fields, diff)
	}

	d, plan = imported(t, d, "employee_no,name,email,manager,title,role,slack_id,hired_on\nE2,李四,-,－,-,-,-,-\n")
	got, _ = d.ByEmployeeNo("E2")
	want.Email, want.ManagerID, want.Title, want.Role, want.HiredOn = "", uuid.Nil, "", people.Employee, time.Time{}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("a hyphen did not clear (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"email", "manager", "title", "role", "hired_on"}, plan.Update[0].Fields); diff != "" {
		t.Errorf("wrong fields (-want +got):\n%s", diff)
	}
	if i, _, _ := d.ByIdentity("slack", "U2"); i.State != people.Unclaimed || i.PersonID != uuid.Nil {
		t.Errorf("a cleared account is still somebody's: %+v", i)
	}
}

func TestTheSameFileAgainChangesNothing(t *testing.T) {
	const file = "employee_no,name,email,manager,slack_id\nE1,张三,a@x.cn,E2,U1\nE2,李四,b@x.cn,,U2\n"
	d, _ := imported(t, empty(), file)
	if _, plan := imported(t, d, file); !plan.Empty() || plan.Unchanged != 2 {
		t.Errorf("the second import would do %+v, want nothing and 2 rows unchanged", plan)
	}
}

func TestTwoRowsMaySwapWhatIsUnique(t *testing.T) {
	d, _ := imported(t, empty(), "employee_no,name,email,manager,slack_id\nE1,张三,a@x.cn,E2,U1\nE2,李四,b@x.cn,,U2\n")
	const swapped = "employee_no,name,email,manager,slack_id\nE1,张三,b@x.cn,-,U2\nE2,李四,a@x.cn,E1,U1\n"
	d, plan := imported(t, d, swapped)
	zhang, _ := d.ByEmployeeNo("E1")
	_, holder, _ := d.ByIdentity("slack", "U2")
	if zhang.Email != "b@x.cn" || holder.ID != zhang.ID || len(d.Managers(zhang.ID)) != 0 {
		t.Errorf("after the swap: %+v, U2 is %s's", zhang, holder.Name)
	}
	for _, i := range plan.Identities {
		if i.State != people.Confirmed {
			t.Errorf("the swap leaves %+v", i)
		}
	}
	if _, plan := imported(t, d, swapped); !plan.Empty() {
		t.Errorf("the same swap again would do %+v", plan)
	}
}

func TestAnAccountMovesAndItsOldProposalsEnd(t *testing.T) {
	d, _ := imported(t, empty(), "employee_no,name,email,slack_id\nE1,张三,a@x.cn,U1\nE2,李四,b@x.cn,\n")
	zhang, _ := d.ByEmployeeNo("E1")
	li, _ := d.ByEmployeeNo("E2")
	account := func(external string, person uuid.UUID, state people.State, kind people.Kind) people.Identity {
		return people.Identity{OrgID: d.Org().ID, Platform: "slack", ExternalID: external, PersonID: person, State: state, Kind: kind, Email: "old@x.cn"}
	}
	d = d.Apply(people.Changes{Identities: []people.Identity{
		account("U5", li.ID, people.Proposed, people.Member), account("U6", zhang.ID, people.Refused, people.Guest), account("U7", zhang.ID, people.Confirmed, people.Gone),
	}}, 4)
	d, plan := imported(t, d, "employee_no,name,slack_id\nE1,张三,U6\nE2,李四,U1\n")
	want := map[string]string{"U1": "李四 confirmed", "U5": " unclaimed", "U6": "张三 confirmed"}
	got := map[string]string{}
	for _, i := range plan.Identities {
		p, _ := d.Person(i.PersonID)
		got[i.ExternalID] = p.Name + " " + string(i.State)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("accounts afterwards (-want +got):\n%s", diff)
	}
}

func TestAnImportedPersonIsAskedAboutTheirWaitingAccount(t *testing.T) {
	d := empty()
	d = d.Apply(people.Changes{Identities: people.MatchAccounts(d, "slack", []people.AccountSeen{
		{ExternalID: "U1", Email: "Lin@X.cn", Kind: people.Member}, {ExternalID: "U2", Email: "wang@x.cn", Kind: people.Member},
	})}, 2)
	const file = "employee_no,name,email\nE1,林晓,lin@x.cn\n"
	d, plan := imported(t, d, file)
	lin, _ := d.ByEmployeeNo("E1")
	if len(plan.Identities) != 1 || plan.Identities[0].State != people.Proposed || plan.Identities[0].PersonID != lin.ID {
		t.Errorf("the waiting account became %+v, want it proposed", plan.Identities)
	}
	if _, plan := imported(t, d, file); !plan.Empty() {
		t.Errorf("the same file again would do %+v", plan)
	}
}

func TestEveryProblemIsNamedWithItsPlaceInBothLanguages(t *testing.T) {
	base, _ := imported(t, empty(), "employee_no,name,email,manager,slack_id\nA1,老王,wang@x.cn,,UW\nA2,小李,li@x.cn,A1,\n")
	base = base.Apply(people.Changes{Identities: []people.Identity{{OrgID: base.Org().ID, Platform: "slack", ExternalID: "UB", State: people.Unclaimed, Kind: people.Bot}}}, 9)
	catalog, err := i18n.Load()
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name, file string
		zh, en     []string
	}{
		{
			"columns are missing", "工号,部门\n1,x\n",
			[]string{"缺少“姓名”(name)这一列。"},
			[]string{"The column “name” (姓名) is missing."},
		},
		{
			"headers", "employee_no,name,emial,工作地点,,Name\n1,张三,a@x.cn,上海,x,y\n",
			[]string{"第 1 行 C 列(emial):没有这一列，是不是“email”？", "第 1 行 D 列(工作地点):没有这一列。", "第 1 行 E 列():这一列有内容，但没有表头。", "第 1 行 F 列(Name):这一列与 B 列重复。"},
			[]string{"Row 1, column C (emial): there is no such column. Did you mean “email”?", "Row 1, column D (工作地点): there is no such column.", "Row 1, column E (): this column has values but no header.", "Row 1, column F (Name): this column stands in column B already."},
		},
		{
			"numbers", "employee_no,name\n,张三\n-,李四\n1,王五\n\n１,赵六\n" + strings.Repeat("9", 129) + ",钱七\n",
			[]string{"第 2 行 A 列(employee_no):缺少工号。", "第 3 行 A 列(employee_no):缺少工号。", "第 6 行 A 列(employee_no):工号 1 与第 4 行重复。", "第 7 行 A 列(employee_no):文字太长，最多 128 个字。"},
			[]string{"Row 2, column A (employee_no): the employee number is missing.", "Row 3, column A (employee_no): the employee number is missing.", "Row 6, column A (employee_no): the employee number 1 stands in row 4 already.", "Row 7, column A (employee_no): the text is too long, at most 128 characters."},
		},
		{
			"names", "employee_no,name\n1,\nA1,-\n2,\"张\n三\"\n3," + strings.Repeat("长", 101) + "\n",
			[]string{"第 2 行 B 列(name):新员工必须有姓名。", "第 3 行 B 列(name):这一项不能清空。", "第 4 行 B 列(name):“张 三”里不能有换行或控制字符。", "第 5 行 B 列(name):文字太长，最多 100 个字。"},
			[]string{"Row 2, column B (name): a new person needs a name.", "Row 3, column B (name): this value cannot be cleared.", "Row 4, column B (name): line breaks and control characters do not belong in “张 三”.", "Row 5, column B (name): the text is too long, at most 100 characters."},
		},
		{
			"values, all of one row at once", "employee_no,name,role,hired_on,timezone,language,email,active,department\n1,张三,经理,02/01/2026,Mars/Olympus,fr,nobody,maybe,销售部//华东\n2,李四,boss,2026-02-30,,,a@b@c,-,\n",
			[]string{
				"第 2 行 C 列(role):“经理”不是角色：有下属的人就是经理。请在下属的行里填“上级工号”。", "第 2 行 D 列(hired_on):“02/01/2026”不是日期，请写成 2026-01-31。",
				"第 2 行 E 列(timezone):没有“Mars/Olympus”这个时区，请写成 Asia/Shanghai。", "第 2 行 F 列(language):不支持“fr”这种语言，请写 zh-CN 或 en。",
				"第 2 行 G 列(email):“nobody”不是邮箱地址。", "第 2 行 H 列(active):“maybe”既不是“是”也不是“否”。", "第 2 行 I 列(department):“销售部//华东”中有空的一级，请写成“销售部/华东”这样的路径。",
				"第 3 行 C 列(role):没有“boss”这个角色，可以是 employee（员工）、hr（人力资源）、executive（高管）、admin（管理员）。", "第 3 行 D 列(hired_on):“2026-02-30”不是日期，请写成 2026-01-31。",
				"第 3 行 G 列(email):“a@b@c”不是邮箱地址。", "第 3 行 H 列(active):这一项不能清空。",
			},
			[]string{
				"Row 2, column C (role): “经理” is not a role: whoever others report to is a manager. Use the column “manager” in their rows.", "Row 2, column D (hired_on): “02/01/2026” is not a date. Write it as 2026-01-31.",
				"Row 2, column E (timezone): there is no time zone “Mars/Olympus”. Write it as Asia/Shanghai.", "Row 2, column F (language): the language “fr” is not available. Write zh-CN or en.",
				"Row 2, column G (email): “nobody” is not an e-mail address.", "Row 2, column H (active): “maybe” is neither yes nor no.", "Row 2, column I (department): “销售部//华东” has an empty part. Write the path as Sales/East.",
				"Row 3, column C (role): there is no role “boss”. Roles are employee, hr, executive, admin.", "Row 3, column D (hired_on): “2026-02-30” is not a date. Write it as 2026-01-31.",
				"Row 3, column G (email): “a@b@c” is not an e-mail address.", "Row 3, column H (active): this value cannot be cleared.",
			},
		},
		{
			"addresses of others", "employee_no,name,email\n1,张三,WANG@x.cn\n2,李四,new@x.cn\n3,王五,New@X.cn\n",
			[]string{"第 2 行 C 列(email):邮箱 wang@x.cn 已属于老王(A1)。", "第 4 行 C 列(email):邮箱 new@x.cn 与第 3 行重复。"},
			[]string{"Row 2, column C (email): the address wang@x.cn belongs to 老王 (A1).", "Row 4, column C (email): the address new@x.cn stands in row 3 already."},
		},
		{
			"accounts of others", "employee_no,name,slack_id\n1,张三,UW\n2,李四,UN\n3,王五,UN\n4,赵六,UB\n",
			[]string{"第 2 行 C 列(slack_id):账号 UW 已属于老王(A1)。", "第 4 行 C 列(slack_id):账号 UN 与第 3 行重复。", "第 5 行 C 列(slack_id):账号 UB 是机器人。"},
			[]string{"Row 2, column C (slack_id): the account UW belongs to 老王 (A1).", "Row 4, column C (slack_id): the account UN stands in row 3 already.", "Row 5, column C (slack_id): the account UB is a bot's."},
		},
		{
			"a manager whom nobody knows", "employee_no,name,上级工号\n1,张三,X9\n",
			[]string{"第 2 行 C 列(上级工号):工号 X9 查无此人，文件里和系统里都没有。"},
			[]string{"Row 2, column C (上级工号): nobody has the employee number X9, neither here nor in the directory."},
		},
		{
			"a cycle within the file, one of oneself, and one through the directory",
			"employee_no,name,manager\n1,张三,2\n2,李四,1\n3,王五,1\n4,赵六,4\nA1,,A2\n",
			[]string{"第 2 行 C 列(manager):汇报关系成环：张三 → 李四 → 张三。", "第 5 行 C 列(manager):汇报关系成环：赵六 → 赵六。", "第 6 行 C 列(manager):汇报关系成环：老王 → 小李 → 老王。"},
			[]string{"Row 2, column C (manager): the reporting line goes in a circle: 张三 → 李四 → 张三.", "Row 5, column C (manager): the reporting line goes in a circle: 赵六 → 赵六.", "Row 6, column C (manager): the reporting line goes in a circle: 老王 → 小李 → 老王."},
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			plan, problems := people.Rehearse(base, read(t, test.file), people.Operator, newID)
			if !plan.Empty() || plan.Unchanged != 0 {
				t.Errorf("there is a plan in spite of problems: %+v", plan)
			}
			for lang, want := range map[string][]string{i18n.Chinese: test.zh, i18n.English: test.en} {
				var got []string
				for _, p := range problems {
					got = append(got, p.Text(catalog.In(lang)))
				}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("in %s (-want +got):\n%s", lang, diff)
				}
			}
		})
	}
}

func TestALongCycleIsCutWhereItIsPrinted(t *testing.T) {
	var file strings.Builder
	file.WriteString("employee_no,name,manager\n")
	for i := range 30 {
		fmt.Fprintf(&file, "%d,P%d,%d\n", i, i, (i+1)%30)
	}
	_, problems := people.Rehearse(empty(), read(t, file.String()), people.Operator, newID)
	if len(problems) != 1 || problems[0].Args["Cycle"] != "P0 → P1 → P2 → P3 → P4 → P5 → P6 → P7 → P8 → P9 → P10 → P11 → … → P0" {
		t.Errorf("got %v", problems)
	}
}

func TestOnlyWhoMayChangesRoles(t *testing.T) {
	d, _ := imported(t, empty(), "employee_no,name,role\nE1,张三,employee\nE2,李四,hr\nE3,王五,admin\n")
	table := read(t, "employee_no,name,role\nE1,张三,admin\nE2,李四,hr\n")
	for no, want := range map[string]int{"E1": 1, "E2": 0, "E3": 0} {
		actor, _ := d.ByEmployeeNo(no)
		_, problems := people.Rehearse(d, table, actor.ID, newID)
		if len(problems) != want || want > 0 && (problems[0].Key != "people.problem.role_forbidden" || problems[0].Row != 2 || problems[0].Column != "C") {
			t.Errorf("for %s, who is %s: %v", no, actor.Role, problems)
		}
	}
	if _, problems := people.Rehearse(d, table, uuid.Nil, newID); len(problems) != 1 {
		t.Errorf("without an actor: %v, want roles refused", problems)
	}
}

func TestDatesAreReadAsPeopleWriteThem(t *testing.T) {
	for _, cell := range []string{"2026-01-02", "2026/1/2", "2026.01.02", "20260102", "2026年1月2日", "46024", "２０２６-1-2", " 2026-01-02 ", "2026-01-02 00:00:00"} {
		d, _ := imported(t, empty(), "employee_no,name,hired_on\n1,x,"+cell+"\n")
		if p, _ := d.ByEmployeeNo("1"); !p.HiredOn.Equal(time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC)) {
			t.Errorf("%q is read as %s", cell, p.HiredOn)
		}
	}
	for _, cell := range []string{"1/2/2026", "2026-13-01", "12", "tomorrow", "1899-01-01", "NaN", "-46024", "9999999", "2026-01-02 12:00:00"} {
		if _, problems := people.Rehearse(empty(), read(t, "employee_no,name,hired_on\n1,x,"+cell+"\n"), people.Operator, newID); len(problems) != 1 {
			t.Errorf("%q is taken for a date", cell)
		}
	}
}

// TestAnExportImportsAgainUnchanged is the promise of CONTRACT.md, in both formats and both languages.
func TestAnExportImportsAgainUnchanged(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := drawDirectory(t)
		lang := rapid.SampledFrom(i18n.Languages()).Draw(t, "language")
		format := rapid.SampledFrom([]sheet.Format{sheet.CSV, sheet.CSV, sheet.CSV, sheet.XLSX}).Draw(t, "format")
		var file bytes.Buffer
		if err := sheet.Write(&file, format, people.Export(d, lang)); err != nil {
			t.Fatalf("writing: %v", err)
		}
		table, err := sheet.Read(&file, sheet.Limits{})
		if err != nil {
			t.Fatalf("reading: %v", err)
		}
		plan, problems := people.Rehearse(d, table, people.Operator, newID)
		if len(problems) > 0 || !plan.Empty() || plan.Unchanged != len(d.People()) {
			t.Fatalf("importing the export would do %+v; problems %v", plan, problems)
		}

		bare := people.NewDirectory(d.Org(), 1, nil, nil)
		plan, problems = people.Rehearse(bare, table, people.Operator, newID)
		if len(problems) > 0 {
			t.Fatalf("the export cannot be imported into an empty firm: %v", problems)
		}
		copied := bare.Apply(plan.Changes(), 2)
		if diff := cmp.Diff(people.Export(d, lang), people.Export(copied, lang)); diff != "" {
			t.Fatalf("the copy of the firm differs (-firm +copy):\n%s", diff)
		}
	})
}

func drawDirectory(t *rapid.T) *people.Directory {
	org := people.Org{ID: uuid.UUID{1}, Lang: "zh-CN"}
	n := rapid.IntRange(1, 8).Draw(t, "people")
	text := rapid.Custom(func(t *rapid.T) string {
		return rapid.SampledFrom([]string{"张三", "=SUM(A1)", "+1", "@all", "'quoted", "a,b;c", "\"x\"", "O'Brien", "- x", "𠮷野家", "a  b", "经理", "1e5", "007", "TRUE", "2026-01-02"}).Draw(t, "text") +
			rapid.StringMatching(`[a-z林;"]{0,3}`).Draw(t, "more")
	})
	maybe := func(t *rapid.T, name string, of *rapid.Generator[string]) string {
		if rapid.Bool().Draw(t, name+" given") {
			return of.Draw(t, name)
		}
		return ""
	}
	var all []people.Person
	var identities []people.Identity
	for i := range n {
		p := people.Person{
			OrgID: org.ID, ID: id(byte(i + 1)), EmployeeNo: fmt.Sprintf("%s%03d", rapid.SampledFrom([]string{"", "E", "=", "-", "工"}).Draw(t, "number"), i),
			Name: text.Draw(t, "name"), NameEn: maybe(t, "name_en", text), Title: maybe(t, "title", text), Role: rapid.SampledFrom(people.Roles()).Draw(t, "role"),
			Active: rapid.Bool().Draw(t, "active"), TimeZone: maybe(t, "zone", rapid.SampledFrom([]string{"Asia/Shanghai", "UTC", "Europe/Berlin"})),
			Lang: maybe(t, "lang", rapid.SampledFrom(i18n.Languages())), Department: strings.ReplaceAll(maybe(t, "department", text), "；", ""),
		}
		if rapid.Bool().Draw(t, "addressed") {
			p.Email = fmt.Sprintf("p%d@example.com", i)
		}
		p.Mobile = rapid.SampledFrom([]string{"", "13800138000", "+14155550100", "057188888888"}).Draw(t, "mobile")
		if rapid.Bool().Draw(t, "dated") {
			p.HiredOn = time.Date(1990, 1, rapid.IntRange(1, 12_000).Draw(t, "day"), 0, 0, 0, 0, time.UTC)
		}
		if i > 0 && rapid.Bool().Draw(t, "managed") {
			p.ManagerID = id(byte(rapid.IntRange(1, i).Draw(t, "manager")))
		}
		all = append(all, p)
		for _, platform := range []string{"slack", "feishu", "dingtalk"} {
			if rapid.Bool().Draw(t, platform) {
				identities = append(identities, people.Identity{
					OrgID: org.ID, Platform: platform, ExternalID: fmt.Sprintf("=%s-%d", platform, i), PersonID: p.ID, State: people.Confirmed, Kind: people.Member,
				})
			}
		}
	}
	return people.NewDirectory(org, 1, all, identities)
}

func FuzzRehearse(f *testing.F) {
	f.Add("employee_no,name,manager\n1,a,2\n2,b,1\n")
	f.Add("工号;姓名;邮箱;slack_id;hired_on\n1;张三;a@x.cn;U1;46024\n1;-;-;-;-\n")
	f.Add("name,employee_no,department,role,active\n\u200b,－,a//b,hr,√\n")
	base := small()
	f.Fuzz(func(t *testing.T, file string) {
		table, err := sheet.Read(strings.NewReader(file), sheet.Limits{Rows: 100, Columns: 30})
		if err != nil {
			return
		}
		plan, problems := people.Rehearse(base, table, people.Operator, newID)
		if len(problems) > 0 {
			return
		}
		after := base.Apply(plan.Changes(), 2)
		for _, p := range after.People() {
			if p.EmployeeNo == "" || p.Name == "" || slices.ContainsFunc(after.Managers(p.ID), func(m people.Person) bool { return m.ID == p.ID }) {
				t.Fatalf("%q made %+v", file, p)
			}
			if p.ManagerID != uuid.Nil && len(after.Managers(p.ID)) == 0 {
				t.Fatalf("%q gave %s a manager who does not exist or is themselves", file, p.Name)
			}
		}
		if again, problems := people.Rehearse(after, table, people.Operator, newID); len(problems) > 0 || !again.Empty() {
			t.Fatalf("%q again would do %+v; problems %v", file, again, problems)
		}
	})
}

func BenchmarkRehearseTenThousandRows(b *testing.B) {
	var table sheet.Table
	table.Header = []string{"employee_no", "name", "name_en", "email", "department", "manager", "title", "role", "hired_on", "timezone", "language", "slack_id"}
	for i := range 10_000 {
		table.Rows = append(table.Rows, sheet.Row{Number: i + 2, Cells: []string{
			fmt.Sprint(i), "林晓", "Lin Xiao", fmt.Sprintf("p%d@x.cn", i), "销售部/华东", fmt.Sprint((i - 1) / 4), "经理", "employee", "2024-01-01", "Asia/Shanghai", "zh-CN", fmt.Sprintf("U%d", i),
		}})
	}
	table.Rows[0].Cells[5] = ""
	table.Rows[1].Cells[5] = "0"
	for b.Loop() {
		plan, problems := people.Rehearse(empty(), table, people.Operator, newID)
		if len(problems) > 0 || len(plan.Create) != 10_000 {
			b.Fatalf("%d new, problems %v", len(plan.Create), problems)
		}
	}
}
