package app

import (
	"context"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"huiyin/bot/command"
	"huiyin/bot/dialog"
	"huiyin/internal/config"
	"huiyin/internal/fault"
	"huiyin/internal/i18n"
)

// docs is huiyin docs [--write]: the pages that are derived from tables.
func docs(set *flag.FlagSet) action {
	write := set.Bool("write", false, "cli.docs.flag.write")
	return func(_ context.Context, c *console, _ []string) error {
		all := pages(c.catalog)
		names := slices.Sorted(maps.Keys(all))
		if !*write {
			for _, name := range names {
				fmt.Fprint(c.out, all[name])
			}
			return nil
		}
		for _, name := range names {
			if info, err := os.Stat(filepath.Dir(name)); err != nil || !info.IsDir() {
				return fault.New(fault.NotFound, "cli.docs.where", "Dir", filepath.Dir(name))
			}
			if err := os.WriteFile(name, []byte(all[name]), 0o644); err != nil {
				return fmt.Errorf("writing a page: %w", err)
			}
			fmt.Fprintln(c.out, name)
		}
		return nil
	}
}

// pages are the derived pages by their path in the repository.
func pages(catalog *i18n.Catalog) map[string]string {
	out := map[string]string{}
	for _, lang := range i18n.Languages() {
		say := catalog.In(lang)
		out[filepath.Join("docs", lang, "commands.md")] = commandsPage(say)
		out[filepath.Join("docs", lang, "configuration.md")] = configurationPage(say)
	}
	return out
}

// page is Markdown being written.
type page struct{ strings.Builder }

func (p *page) heading(level int, text string) {
	p.WriteString(strings.Repeat("#", level) + " " + text + "\n\n")
}

func (p *page) paragraph(text string) { p.WriteString(text + "\n\n") }

func (p *page) table(head []string, rows [][]string) {
	p.row(head)
	p.WriteString(strings.Repeat("|---", len(head)) + "|\n")
	for _, r := range rows {
		p.row(r)
	}
	p.WriteString("\n")
}

func (p *page) row(cells []string) {
	for _, cell := range cells {
		p.WriteString("| " + strings.ReplaceAll(cell, "|", `\|`) + " ")
	}
	p.WriteString("|\n")
}

// end is the page with exactly one line break after it.
func (p *page) end() string { return strings.TrimRight(p.String(), "\n") + "\n" }

func code(text string) string {
	if text == "" {
		return ""
	}
	return "`" + text + "`"
}

func configurationPage(say i18n.Printer) string {
	p := &page{}
	p.heading(1, say.T("config.page.title"))
	p.paragraph(say.T("config.page.intro"))
	p.paragraph(say.T("config.page.derived"))
	for _, area := range config.Areas() {
		p.heading(2, say.T("config.area."+string(area)))
		var rows [][]string
		for _, s := range config.Settings() {
			if s.Area == area {
				rows = append(rows, settingRow(say, s))
			}
		}
		p.table([]string{say.T("config.page.name"), say.T("config.page.what"), say.T("config.page.form"), say.T("config.page.default")}, rows)
	}
	return p.end()
}

func settingRow(say i18n.Printer, s config.Setting) []string {
	what := say.T(s.Key)
	if s.Later {
		what = say.T("config.page.later", "What", what)
	}
	form := say.T("config.kind." + string(s.Kind))
	for i, choice := range s.Choices {
		if i > 0 {
			form += say.T("common.comma")
		} else {
			form += " "
		}
		form += code(choice)
	}
	if s.Secret {
		form += say.T("common.comma") + say.T("config.page.secret")
	}
	return []string{code(s.Name), what, form, code(s.Default)}
}

func commandsPage(say i18n.Printer) string {
	p := &page{}
	p.heading(1, say.T("cli.page.title"))
	p.paragraph(say.T("cli.page.derived"))
	p.heading(2, say.T("cli.page.chat"))
	p.paragraph(say.T("cli.page.chat.intro", "Root", "/"+dialog.Root))
	var rows [][]string
	for _, s := range dialog.Commands() {
		var aliases []string
		for _, a := range s.Aliases {
			aliases = append(aliases, code(a))
		}
		rows = append(rows, []string{
			code("/" + s.Name + following(say.T(s.Key+".usage"))), strings.Join(aliases, say.T("common.comma")), audience(say, s.For),
			say.T(s.Key + ".summary"), code("/" + s.Name + following(say.T(s.Key+".example"))),
		})
	}
	p.table([]string{say.T("cli.page.command"), say.T("cli.page.alias"), say.T("cli.page.who"), say.T("cli.page.what"), say.T("cli.page.example")}, rows)
	p.heading(2, say.T("cli.page.verbs"))
	p.paragraph(say.T("cli.page.verbs.intro"))
	for _, v := range verbs() {
		verbSection(p, say, v)
	}
	return p.end()
}

// following is what can follow a command, with a space before it. A message that is a dash says that nothing can.
func following(text string) string {
	if text == "" || text == "-" {
		return ""
	}
	return " " + text
}

func audience(say i18n.Printer, a command.Audience) string {
	switch a {
	case command.Managers:
		return say.T("cli.page.for.managers")
	case command.HR:
		return say.T("cli.page.for.hr")
	case command.Everyone:
	}
	return say.T("cli.page.for.everyone")
}

func verbSection(p *page, say i18n.Printer, v verb) {
	p.heading(3, code(strings.TrimSpace("huiyin "+v.name+" "+v.operands)))
	p.paragraph(say.T(v.key("about")))
	set := flag.NewFlagSet(v.name, flag.ContinueOnError)
	v.prepare(set)
	var rows [][]string
	set.VisitAll(func(f *flag.Flag) {
		rows = append(rows, []string{code("--" + flagForm(f)), say.T(f.Usage, "Default", f.DefValue)})
	})
	if len(rows) > 0 {
		p.table([]string{say.T("cli.page.flag"), say.T("cli.page.what")}, rows)
	}
}
