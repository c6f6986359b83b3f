package people

import (
	"time"

	"huiyin/internal/i18n"
	"huiyin/internal/sheet"
)

// Export is everybody as a people file, active or not, with headers in the given language. Importing it again changes nothing.
// What a person chose for themselves is not in it.
func Export(d *Directory, lang string) sheet.Table {
	all := columns()
	table := sheet.Table{HeaderRow: 1}
	for _, c := range all {
		name := c.name
		if lang == i18n.Chinese {
			name = c.chinese
		}
		table.Header = append(table.Header, name)
	}
	for i, p := range d.People() {
		row := sheet.Row{Number: i + 2}
		for _, c := range all {
			text := d.exported(p, c, lang)
			if code(text) == clears {
				text = "" // it would take the value away
			}
			row.Cells = append(row.Cells, text)
		}
		table.Rows = append(table.Rows, row)
	}
	return table
}

func (d *Directory) exported(p Person, c column, lang string) string {
	switch c.name {
	case "employee_no":
		return p.EmployeeNo
	case "name":
		return p.Name
	case "name_en":
		return p.NameEn
	case "email":
		return p.Email
	case "mobile":
		return p.Mobile
	case "department":
		return p.Department
	case "manager":
		manager, _ := d.Person(p.ManagerID)
		return manager.EmployeeNo
	case "title":
		return p.Title
	case "role":
		return string(p.Role)
	case "hired_on":
		if p.HiredOn.IsZero() {
			return ""
		}
		return p.HiredOn.Format(time.DateOnly)
	case "timezone":
		return p.TimeZone
	case "language":
		return p.Lang
	case "active":
		words := map[bool]string{true: "yes", false: "no"}
		if lang == i18n.Chinese {
			words = map[bool]string{true: "是", false: "否"}
		}
		return words[p.Active]
	}
	i, _ := d.IdentityOf(p.ID, c.platform)
	return i.ExternalID
}
