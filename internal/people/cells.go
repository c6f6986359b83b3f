package people

import (
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"huiyin/internal/fault"
	"huiyin/internal/i18n"
)

// clears is the cell that takes a value away; an empty one leaves it as it is.
const clears = "-"

// trim takes spaces and invisible characters from both ends.
func trim(cell string) string {
	return strings.TrimFunc(cell, func(r rune) bool { return unicode.IsSpace(r) || unicode.Is(unicode.Cf, r) })
}

// code is the form of cells that are no prose: numbers, ids, addresses, dates. Full-width letters become plain ones.
func code(cell string) string { return trim(norm.NFKC.String(cell)) }

// shown is a cell as a problem quotes it.
func shown(cell string) string {
	const most = 40
	cell = trim(cell)
	if utf8.RuneCountInString(cell) > most {
		cell = string([]rune(cell)[:most-1]) + "…"
	}
	return cell
}

// bad is why a cell cannot be taken; nil: it can.
type bad struct {
	key  string
	args fault.Args
}

func wrong(key, cell string) *bad {
	return &bad{"people.problem." + key, fault.Args{"Value": shown(cell)}}
}

// Longest values, in characters.
const (
	longestCode  = 128
	longestText  = 100
	longestPath  = 300
	longestEmail = 254 // RFC 5321, 4.5.3.1.3
)

func checkText(value string, longest int) *bad {
	if utf8.RuneCountInString(value) > longest {
		return &bad{"people.problem.long", fault.Args{"Limit": longest}}
	}
	if strings.ContainsFunc(value, unicode.IsControl) {
		return wrong("control", strings.Map(func(r rune) rune {
			if unicode.IsControl(r) {
				return ' '
			}
			return r
		}, value))
	}
	return nil
}

// readEmail gives an address in lower case.
func readEmail(cell string) (string, *bad) {
	email := strings.ToLower(code(cell))
	local, domain, _ := strings.Cut(email, "@")
	refused := func(r rune) bool {
		return unicode.IsSpace(r) || !unicode.IsGraphic(r) || strings.ContainsRune("@,;<>()[]\\\"", r)
	}
	if local == "" || strings.ContainsFunc(local+domain, refused) || len(email) > longestEmail {
		return "", wrong("email", cell)
	}
	for label := range strings.SplitSeq(domain, ".") {
		if label == "" {
			return "", wrong("email", cell)
		}
	}
	return email, nil
}

// readMobile gives a number in the form in which numbers are compared.
func readMobile(cell string) (string, *bad) {
	if mobile := FoldMobile(cell); mobile != "" {
		return mobile, nil
	}
	return "", wrong("mobile", cell)
}

// readDepartment gives the path without spaces around its parts.
func readDepartment(cell string) (string, *bad) {
	var parts []string
	for part := range strings.SplitSeq(strings.ReplaceAll(cell, "／", "/"), "/") {
		part = trim(part)
		if part == "" {
			return "", wrong("department", cell)
		}
		parts = append(parts, part)
	}
	path := strings.Join(parts, "/")
	return path, checkText(path, longestPath)
}

func readRole(cell string) (Role, *bad) {
	switch strings.ToLower(code(cell)) {
	case "employee", "员工", "普通员工":
		return Employee, nil
	case "hr", "人事", "人力资源":
		return HR, nil
	case "executive", "高管", "管理层":
		return Executive, nil
	case "admin", "administrator", "管理员":
		return Admin, nil
	case "manager", "经理", "主管", "上级":
		return "", wrong("role_manager", cell)
	}
	return "", wrong("role", cell)
}

// readDate reads a date with the year first, or a day number of Excel
// (https://support.microsoft.com/office/date-systems-in-excel-e7fe7167-48a9-4b96-bb53-5612a800b487). With the day or the month first
// it could mean two days, so it is refused.
func readDate(cell string) (time.Time, *bad) {
	value := strings.TrimSuffix(code(cell), " 00:00:00")
	if days, err := strconv.ParseFloat(value, 64); err == nil && days < 100_000 {
		return checkDate(time.Date(1899, time.December, 30+int(days), 0, 0, 0, 0, time.UTC), cell)
	}
	for _, layout := range []string{"2006-1-2", "2006/1/2", "2006.1.2", "20060102", "2006年1月2日"} {
		if at, err := time.Parse(layout, value); err == nil {
			return checkDate(at, cell)
		}
	}
	return time.Time{}, wrong("date", cell)
}

func checkDate(at time.Time, cell string) (time.Time, *bad) {
	if at.Year() < 1940 || at.Year() > 2100 {
		return time.Time{}, wrong("date", cell)
	}
	return at, nil
}

func readTimeZone(cell string) (string, *bad) {
	zone := code(cell)
	if _, err := location(zone); err != nil {
		return "", wrong("timezone", cell)
	}
	return zone, nil
}

func readLanguage(cell string) (string, *bad) {
	switch strings.ReplaceAll(strings.ToLower(code(cell)), "_", "-") {
	case "zh-cn", "zh", "zh-hans", "zh-hans-cn", "chinese", "中文", "简体中文", "汉语":
		return i18n.Chinese, nil
	case "en", "en-us", "en-gb", "english", "英文", "英语":
		return i18n.English, nil
	}
	return "", wrong("language", cell)
}

func readActive(cell string) (bool, *bad) {
	switch strings.ToLower(code(cell)) {
	case "yes", "y", "true", "1", "active", "是", "在职", "√":
		return true, nil
	case "no", "n", "false", "0", "inactive", "否", "离职", "不在职", "×":
		return false, nil
	}
	return false, wrong("active", cell)
}
