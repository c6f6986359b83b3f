package people

import (
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"huiyin/internal/fault"
	"huiyin/internal/sheet"
)

// column is one column of the people file. Its name is the English header; every other name is accepted as well.
type column struct {
	name, chinese string
	also          []string
	platform      string // of columns that hold an account's id
	required      bool
}

// columns is the table of CONTRACT.md, in the order in which an export has them.
func columns() []column {
	return []column{
		{name: "employee_no", chinese: "工号", also: []string{"employee_id", "员工编号", "员工号", "员工工号", "编号"}, required: true},
		{name: "name", chinese: "姓名", also: []string{"full_name", "名字", "员工姓名", "中文名"}, required: true},
		{name: "name_en", chinese: "英文名", also: []string{"english_name", "英文姓名"}},
		{name: "email", chinese: "邮箱", also: []string{"mail", "电子邮箱", "电子邮件", "邮件", "企业邮箱"}},
		{name: "mobile", chinese: "手机", also: []string{"phone", "mobile_phone", "cell", "手机号", "手机号码", "电话"}},
		{name: "department", chinese: "部门", also: []string{"dept", "所属部门", "部门路径"}},
		{name: "manager", chinese: "上级工号", also: []string{"manager_no", "manager_employee_no", "上级", "直属上级工号", "主管工号", "经理工号"}},
		{name: "title", chinese: "职务", also: []string{"job_title", "position", "职位", "岗位"}},
		{name: "role", chinese: "角色"},
		{name: "hired_on", chinese: "入职日期", also: []string{"hire_date", "hired", "start_date", "入职时间"}},
		{name: "timezone", chinese: "时区", also: []string{"time_zone", "tz"}},
		{name: "language", chinese: "语言", also: []string{"lang"}},
		{name: "slack_id", chinese: "Slack ID", also: []string{"slack"}, platform: "slack"},
		{name: "feishu_id", chinese: "飞书 ID", also: []string{"feishu", "lark_id", "open_id", "飞书"}, platform: "feishu"},
		{name: "dingtalk_id", chinese: "钉钉 ID", also: []string{"dingtalk", "staff_id", "钉钉"}, platform: "dingtalk"},
		{name: "active", chinese: "在职", also: []string{"是否在职", "在职状态"}},
	}
}

func (c column) names() []string { return append([]string{c.name, c.chinese}, c.also...) }

// headerName makes headers comparable: width, case, spaces, hyphens and underscores do not count, nor does the asterisk that marks a
// required column.
func headerName(typed string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || strings.ContainsRune("-_*", r) {
			return -1
		}
		return r
	}, strings.ToLower(norm.NFKC.String(trim(typed))))
}

// readHeader gives the column for every index of the table; nil: unknown.
func readHeader(t sheet.Table) ([]*column, []located) {
	all := columns()
	byName := map[string]*column{}
	for i := range all {
		for _, name := range all[i].names() {
			byName[headerName(name)] = &all[i]
		}
	}
	found := make([]*column, len(t.Header))
	first := map[*column]int{}
	var problems []located
	complain := func(index int, key string, args fault.Args) {
		problems = append(problems, located{index: index, Problem: Problem{
			Row: t.HeaderRow, Column: sheet.Column(index), Header: trim(t.Header[index]), Key: key, Args: args,
		}})
	}
	for i, header := range t.Header {
		name := headerName(header)
		c := byName[name]
		switch {
		case name == "" && emptyColumn(t, i):
		case name == "":
			complain(i, "people.problem.header_empty", nil)
		case c == nil:
			if near := nearestName(name, all); near != "" {
				complain(i, "people.problem.header_near", fault.Args{"Value": shown(header), "Near": near})
				continue
			}
			complain(i, "people.problem.header", fault.Args{"Value": shown(header)})
		default:
			if at, twice := first[c]; twice {
				complain(i, "people.problem.header_twice", fault.Args{"Value": shown(header), "First": sheet.Column(at)})
				continue
			}
			first[c], found[i] = i, c
		}
	}
	for i := range all {
		if _, ok := first[&all[i]]; !ok && all[i].required {
			problems = append(problems, located{index: -1, Problem: Problem{
				Key: "people.problem.column_missing", Args: fault.Args{"Name": all[i].name, "Chinese": all[i].chinese},
			}})
		}
	}
	return found, problems
}

func emptyColumn(t sheet.Table, index int) bool {
	return !slices.ContainsFunc(t.Rows, func(r sheet.Row) bool { return trim(r.Cells[index]) != "" })
}

// nearestName is the column name that a header most likely means, in the language in which it was written; "" when none is near.
func nearestName(typed string, all []column) string {
	best, near := len([]rune(typed))/3+1, ""
	for _, c := range all {
		for _, name := range c.names() {
			if d := distance([]rune(typed), []rune(headerName(name)), best); d < best {
				best, near = d, name
			}
		}
	}
	return near
}
