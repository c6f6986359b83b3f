package sheet_test

import (
	"archive/zip"
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/xuri/excelize/v2"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/unicode"
	"pgregory.net/rapid"

	"huiyin/internal/fault"
	"huiyin/internal/sheet"
)

// staff is the table that most tests write in one disguise and read in another.
var staff = sheet.Table{
	Header: []string{"工号", "姓名"}, HeaderRow: 1,
	Rows: []sheet.Row{{Number: 2, Cells: []string{"E1", "林晓"}}, {Number: 3, Cells: []string{"E2", "𠮷田"}}},
}

func TestReadCSVAsSpreadsheetProgramsLeaveIt(t *testing.T) {
	const plain = "工号,姓名\nE1,林晓\nE2,𠮷田\n"
	gb18030, err := simplifiedchinese.GB18030.NewEncoder().String(plain)
	if err != nil {
		t.Fatal(err)
	}
	utf16, err := unicode.UTF16(unicode.LittleEndian, unicode.UseBOM).NewEncoder().String(strings.ReplaceAll(plain, ",", "\t"))
	if err != nil {
		t.Fatal(err)
	}
	for name, file := range map[string]string{
		"UTF-8":                        plain,
		"UTF-8 with a byte order mark": "\ufeff" + plain,
		"GB18030":                      gb18030,
		"Excel's Unicode text":         utf16,
		"semicolons":                   strings.ReplaceAll(plain, ",", ";"),
		"tabs":                         strings.ReplaceAll(plain, ",", "\t"),
		"CRLF":                         strings.ReplaceAll(plain, "\n", "\r\n"),
		"CR of an old Mac":             strings.ReplaceAll(plain, "\n", "\r"),
		"no end of the last line":      strings.TrimSuffix(plain, "\n"),
		"quotes everywhere":            "\"工号\",\"姓名\"\n\"E1\",\"林晓\"\n\"E2\",\"𠮷田\"\n",
		"empty columns at the end":     "工号,姓名,,\nE1,林晓,,\nE2,𠮷田,,\n",
		"blank rows at the end":        plain + ",\n\n , \n",
		"a line that names the comma":  "sep=;\r\n" + strings.ReplaceAll(plain, ",", ";"),
	} {
		t.Run(name, func(t *testing.T) {
			got, err := sheet.Read(strings.NewReader(file), sheet.Limits{})
			if err != nil {
				t.Fatalf("reading %q: %v", file, err)
			}
			if diff := cmp.Diff(staff, got); diff != "" {
				t.Errorf("read another table than was meant (-want +got):\n%s", diff)
			}
		})
	}
}

func TestReadCSVCountsRowsAsThePersonSeesThem(t *testing.T) {
	const file = "\n  \na,b\n\n\"two\nlines\",\"say \"\"hi\"\"\"\nx\"y,tail\n,last\nshort\n"
	got, err := sheet.Read(strings.NewReader(file), sheet.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	want := sheet.Table{Header: []string{"a", "b"}, HeaderRow: 3, Rows: []sheet.Row{
		{Number: 5, Cells: []string{"two\nlines", `say "hi"`}},
		{Number: 6, Cells: []string{`x"y`, "tail"}},
		{Number: 7, Cells: []string{"", "last"}},
		{Number: 8, Cells: []string{"short", ""}},
	}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("blank rows count and a cell of two lines is one row (-want +got):\n%s", diff)
	}
}

func TestReadRefuses(t *testing.T) {
	bomb := &bytes.Buffer{}
	z := zip.NewWriter(bomb)
	for _, name := range []string{"[Content_Types].xml", "xl/worksheets/sheet1.xml"} {
		w, err := z.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		zeros := make([]byte, 1<<20)
		for range 140 {
			if _, err := w.Write(zeros); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name, file string
		limits     sheet.Limits
		keys       []string
	}{
		{name: "an empty file", file: "", keys: []string{"sheet.empty"}},
		{name: "blank rows only", file: "\n,,\n", keys: []string{"sheet.empty"}},
		{name: "neither UTF-8 nor GB18030", file: "a,b\n\xff\xff,x\n", keys: []string{"sheet.encoding"}},
		{name: "broken UTF-8 that says it is UTF-8", file: "\ufeffa,b\n\xc1\xaa,x\n", keys: []string{"sheet.encoding"}},
		{name: "a quote that never ends", file: "a,b\n\"x,y\n", keys: []string{"sheet.quote"}},
		{name: "an XLS file", file: "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", keys: []string{"sheet.old"}},
		{name: "a ZIP that is no XLSX", file: "PK\x03\x04 and then nothing", keys: []string{"sheet.damaged"}},
		{name: "a ZIP bomb", file: bomb.String(), keys: []string{"sheet.bytes"}},
		{name: "too many bytes", file: "a,b\n1,2\n", limits: sheet.Limits{Bytes: 4}, keys: []string{"sheet.bytes"}},
		{name: "too many rows", file: "a\n1\n2\n3\n", limits: sheet.Limits{Rows: 2}, keys: []string{"sheet.rows"}},
		{name: "too many columns", file: "a,b,c\n1\n", limits: sheet.Limits{Columns: 2}, keys: []string{"sheet.columns"}},
		{
			name: "long cells and wide rows, all of them at once", file: "a,b\n12345,林林林林\n1,2,3\n林林林林林\n",
			limits: sheet.Limits{Cell: 4}, keys: []string{"sheet.cell", "sheet.wide", "sheet.cell"},
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			table, err := sheet.Read(strings.NewReader(test.file), test.limits)
			f, ok := fault.Of(err)
			if !ok {
				t.Fatalf("got %v and table %v, want a fault", err, table)
			}
			var keys []string
			for _, f := range f.All() {
				keys = append(keys, f.Key)
				if f.Kind != fault.Invalid {
					t.Errorf("%s is of kind %v, want invalid", f.Key, f.Kind)
				}
			}
			if diff := cmp.Diff(test.keys, keys); diff != "" {
				t.Errorf("wrong problems (-want +got):\n%s", diff)
			}
		})
	}
}

func TestReadNamesTheCellThatIsTooLong(t *testing.T) {
	_, err := sheet.Read(strings.NewReader("a,b\n\n1,12345\n"), sheet.Limits{Cell: 4})
	f, ok := fault.Of(err)
	if !ok {
		t.Fatalf("got %v, want a fault", err)
	}
	if diff := cmp.Diff(fault.Args{"Row": 3, "Column": "B", "Limit": 4}, f.Args); diff != "" {
		t.Errorf("wrong place (-want +got):\n%s", diff)
	}
}

func TestReadStopsAtTheFirstErrorOfTheSource(t *testing.T) {
	away := errors.New("the line broke")
	if _, err := sheet.Read(&broken{away}, sheet.Limits{}); !errors.Is(err, away) {
		t.Errorf("got %v, want the reader's own error", err)
	}
	if err := sheet.Write(&broken{away}, sheet.CSV, staff); !errors.Is(err, away) {
		t.Errorf("writing CSV gave %v, want the writer's own error", err)
	}
	if err := sheet.Write(&broken{away}, sheet.XLSX, staff); !errors.Is(err, away) {
		t.Errorf("writing XLSX gave %v, want the writer's own error", err)
	}
	if err := sheet.Write(&bytes.Buffer{}, "ods", staff); err == nil {
		t.Error("an unknown format was written")
	}
}

type broken struct{ err error }

func (b *broken) Read([]byte) (int, error)  { return 0, b.err }
func (b *broken) Write([]byte) (int, error) { return 0, b.err }

func TestReadXLSXAsExcelStoresIt(t *testing.T) {
	f := excelize.NewFile()
	set := func(cell string, value any, format *excelize.Style) {
		t.Helper()
		if err := f.SetCellValue("Sheet1", cell, value); err != nil {
			t.Fatal(err)
		}
		if format == nil {
			return
		}
		id, err := f.NewStyle(format)
		if err != nil {
			t.Fatal(err)
		}
		if err := f.SetCellStyle("Sheet1", cell, cell, id); err != nil {
			t.Fatal(err)
		}
	}
	custom := func(code string) *excelize.Style { return &excelize.Style{CustomNumFmt: &code} }
	serial := 46024 // 2026-01-02
	columns := []struct {
		name, want string
		value      any
		format     *excelize.Style
	}{
		{"text", "林晓", "林晓", nil},
		{"whole number", "1001", 1001, nil},
		{"long number", "13800138000123", 13800138000123, nil},
		{"fraction", "0.1", 0.1, nil},
		{"date by number", "2026-01-02", serial, &excelize.Style{NumFmt: 14}},
		{"Chinese date by number", "2026-01-02", serial, &excelize.Style{NumFmt: 31}},
		{"Chinese date by code", "2026-01-02", serial, custom(`yyyy"年"m"月"d"日";@`)},
		{"date with a locale", "2026-01-02", serial, custom(`[$-804]dddd, mmmm d, yyyy`)},
		{"moment", "2026-01-02 12:00:00", float64(serial) + 0.5, &excelize.Style{NumFmt: 22}},
		{"a Go time", "2026-01-02", time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC), nil},
		{"percent", "12.5%", 0.125, &excelize.Style{NumFmt: 9}},
		{"percent with dust", "7%", 0.07, &excelize.Style{NumFmt: 10}},
		{"thousands", "1200.55", 1200.55, &excelize.Style{NumFmt: 3}},
		{"money", "1200.556", 1200.556, custom(`"¥"#,##0.00`)},
		{"leading zeros", "0042", 42, custom("0000")},
		{"guarded", "=1+1", "'=1+1", nil},
		{"yes", "TRUE", true, nil},
		{"digits as a text", "007", "007", nil},
		{"a text like an exponent", "1E5", "1E5", nil},
	}
	var want sheet.Table
	var cells []string
	for i, c := range columns {
		set(sheet.Column(i)+"2", c.name, nil)
		set(sheet.Column(i)+"4", c.value, c.format)
		want.Header = append(want.Header, c.name)
		cells = append(cells, c.want)
	}
	want.HeaderRow, want.Rows = 2, []sheet.Row{{Number: 4, Cells: cells}}

	var file bytes.Buffer
	if err := f.Write(&file); err != nil {
		t.Fatal(err)
	}
	got, err := sheet.Read(&file, sheet.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("read other cells than Excel means (-want +got):\n%s", diff)
	}
}

func TestWriteCSVIsByteForByteThis(t *testing.T) {
	table := sheet.Table{Header: []string{"a", "b c"}, Rows: []sheet.Row{
		{Cells: []string{"-", "=cmd|' /C calc'!A0"}}, {Cells: []string{"x;=1", "1 - 2"}}, {Cells: []string{`"=1`, "it's"}},
	}}
	var file bytes.Buffer
	if err := sheet.Write(&file, sheet.CSV, table); err != nil {
		t.Fatal(err)
	}
	want := "\ufeffa,\"b c\"\r\n\"'-\",\"'=cmd|' /C calc'!A0\"\r\n\"x;'=1\",\"1 - 2\"\r\n\"'\"\"=1\",\"it's\"\r\n"
	if diff := cmp.Diff(want, file.String()); diff != "" {
		t.Errorf("wrong file (-want +got):\n%s", diff)
	}
}

func TestWriteXLSXRefusesWhatExcelCannotHold(t *testing.T) {
	long := sheet.Table{Header: []string{"a"}, Rows: []sheet.Row{{Cells: []string{strings.Repeat("𠮷", 16_384)}}}}
	if err := sheet.Write(&bytes.Buffer{}, sheet.XLSX, long); !fault.Is(err, fault.Invalid) {
		t.Errorf("got %v for a cell of 32,768 UTF-16 units, want a fault and never half a text", err)
	}
	long.Rows[0].Cells[0] = strings.Repeat("𠮷", 16_383)
	if err := sheet.Write(&bytes.Buffer{}, sheet.XLSX, long); err != nil {
		t.Errorf("got %v for a cell of 32,766 UTF-16 units, want it written", err)
	}
}

func TestWhatIsWrittenIsReadAgain(t *testing.T) {
	for _, format := range []sheet.Format{sheet.CSV, sheet.XLSX} {
		t.Run(string(format), func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) { roundTrip(t, format, drawTable(t, format)) })
		})
	}
}

func BenchmarkReadXLSX(b *testing.B) {
	table := sheet.Table{Header: []string{"a", "b", "c", "d", "e", "f", "g", "h"}}
	for range 10_000 {
		table.Rows = append(table.Rows, sheet.Row{Cells: []string{"E10234", "林晓", "Lin Xiao", "a@b.cn", "46024", "销售部/华东", "1", "x"}})
	}
	var file bytes.Buffer
	if err := sheet.Write(&file, sheet.XLSX, table); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := sheet.Read(bytes.NewReader(file.Bytes()), sheet.Limits{}); err != nil {
			b.Fatal(err)
		}
	}
}

func FuzzCSVRoundTrip(f *testing.F) {
	for _, seed := range nasty {
		f.Add(seed, "b")
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		if !utf8.ValidString(a) || !utf8.ValidString(b) {
			return
		}
		roundTrip(t, sheet.CSV, sheet.Table{Header: []string{"h", "i"}, Rows: []sheet.Row{{Cells: []string{a, b}}, {Cells: []string{"x", a}}}})
	})
}

func FuzzRead(f *testing.F) {
	f.Add([]byte("a,b\n1,2\n"))
	f.Add([]byte("sep=;\n\"a\"\"\";b\r1;=2"))
	f.Add([]byte("\xb9\xa4\xba\xc5,\xd0\xd5\xc3\xfb\n1,2\n"))
	var file bytes.Buffer
	if err := sheet.Write(&file, sheet.XLSX, staff); err != nil {
		f.Fatal(err)
	}
	f.Add(file.Bytes())
	f.Fuzz(func(t *testing.T, data []byte) {
		table, err := sheet.Read(bytes.NewReader(data), sheet.Limits{Bytes: 1 << 16, Rows: 50, Columns: 20, Cell: 200})
		if err != nil {
			if _, ok := fault.Of(err); !ok {
				t.Fatalf("a bad file is an internal error: %v", err)
			}
			return
		}
		for _, row := range table.Rows {
			if len(row.Cells) != len(table.Header) || row.Number <= table.HeaderRow {
				t.Fatalf("row %d has %d cells under a header of %d in row %d", row.Number, len(row.Cells), len(table.Header), table.HeaderRow)
			}
		}
	})
}

type fataler interface {
	Fatalf(format string, args ...any)
	Helper()
}

// roundTrip writes and reads the table, and also looks at the file as a spreadsheet program does.
func roundTrip(t fataler, format sheet.Format, table sheet.Table) {
	t.Helper()
	var file bytes.Buffer
	if err := sheet.Write(&file, format, table); err != nil {
		t.Fatalf("writing %v: %v", table, err)
	}
	written := file.String()
	for _, cells := range asProgramsSee(t, format, file.Bytes()) {
		for _, cell := range cells {
			if executes(cell) {
				t.Fatalf("cell %q of %q would run as a formula", cell, written)
			}
		}
	}
	want := sheet.Table{Header: table.Header, HeaderRow: 1}
	for i, row := range table.Rows {
		if !slices.ContainsFunc(row.Cells, func(c string) bool { return strings.TrimSpace(c) != "" }) {
			continue // rows without text are left out
		}
		want.Rows = append(want.Rows, sheet.Row{Number: i + 2, Cells: row.Cells})
	}
	got, err := sheet.Read(&file, sheet.Limits{})
	if err != nil {
		t.Fatalf("reading back %q: %v", written, err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatalf("%q came back changed (-want +got):\n%s", written, diff)
	}
}

// executes is the list of ASVS 1.2.10 and of Excel's Chinese keyboards, after the spaces that a program may trim.
func executes(cell string) bool {
	first, _ := utf8.DecodeRuneInString(strings.TrimLeft(cell, " \u00a0\u3000"))
	return strings.ContainsRune("=+-@＝＋－＠\t\r\n\x00", first)
}

// asProgramsSee cuts a CSV file at the delimiters of other countries too, in the crude way of programs that meet quotes in the
// middle of a cell; in XLSX it looks for formulas.
func asProgramsSee(t fataler, format sheet.Format, file []byte) [][]string {
	t.Helper()
	if format == sheet.XLSX {
		f, err := excelize.OpenReader(bytes.NewReader(file))
		if err != nil {
			t.Fatalf("opening the file: %v", err)
		}
		defer f.Close()
		rows, err := f.GetRows("Sheet1")
		if err != nil {
			t.Fatalf("reading the file: %v", err)
		}
		for r, row := range rows {
			for c := range row {
				if formula, err := f.GetCellFormula("Sheet1", sheet.Column(c)+string(rune('1'+r%9))); err != nil || formula != "" {
					t.Fatalf("a formula %q was written (%v)", formula, err)
				}
			}
		}
		return rows
	}
	text := strings.TrimPrefix(string(file), "\ufeff")
	all := [][]string{properCells(text)}
	for _, line := range strings.FieldsFunc(text, func(r rune) bool { return r == '\r' || r == '\n' }) {
		for _, comma := range []string{";", "\t"} {
			for _, cell := range strings.Split(line, comma) {
				all = append(all, []string{strings.Trim(cell, "\"\t ")})
			}
		}
	}
	return all
}

// properCells is RFC 4180 with the comma, written differently from the package: a state machine over runes.
func properCells(text string) []string {
	var cells []string
	var cell strings.Builder
	quoted, quote := false, false
	for _, r := range text {
		switch {
		case r == '"' && quoted:
			quoted, quote = false, true
		case r == '"' && quote:
			cell.WriteRune('"')
			quoted, quote = true, false
		case r == '"':
			quoted = true
		case !quoted && (r == ',' || r == '\r' || r == '\n'):
			cells = append(cells, cell.String())
			cell.Reset()
			quote = false
		default:
			cell.WriteRune(r)
		}
	}
	return append(cells, cell.String())
}

var nasty = []string{
	"", "-", "'-", "''-", "=1+1", "'=1", "@SUM(A1)", "＝1", " =1", "\u3000－1", "\u200b=1", "\"=1", "'\"=1", "a;=1", "a\n-b", "a\r\n\t=1",
	"\t", "\n", "\r", "\x00", "'\x00", "\r\n", "a\rb", "a\"b", "a,b", "林晓", "sep=;", "_x0041_", "_x005F_", " x ", "\ufeffx", "'", "it's", "1 - 2", "a;'b;'=c",
	"1e5", "007", "TRUE", "Infinity", "0x10", "46024", "2026-01-02", "12.50%",
}

func drawTable(t *rapid.T, format sheet.Format) sheet.Table {
	pieces := rapid.SampledFrom([]string{"=", "+", "-", "@", "＝", "－", "'", "\"", ";", ",", "\t", "\r", "\n", "\x00", " ", "\u3000", "\ufeff", "a", "林", "_x0041_"})
	cell := rapid.Custom(func(t *rapid.T) string {
		var s string
		switch rapid.IntRange(0, 2).Draw(t, "kind") {
		case 0:
			s = rapid.SampledFrom(nasty).Draw(t, "nasty")
		case 1:
			s = strings.Join(rapid.SliceOfN(pieces, 0, 8).Draw(t, "pieces"), "")
		default:
			s = rapid.String().Draw(t, "any")
		}
		if format == sheet.XLSX {
			s = strings.Map(func(r rune) rune {
				if r < 0x20 && r != '\t' && r != '\n' && r != '\r' || r == 0xfffe || r == 0xffff {
					return -1
				}
				return r
			}, s)
		}
		return s
	})
	width := rapid.IntRange(1, 4).Draw(t, "width")
	named := rapid.Custom(func(t *rapid.T) string { return cell.Draw(t, "name") + "h" })
	table := sheet.Table{Header: rapid.SliceOfN(named, width, width).Draw(t, "header")}
	for range rapid.IntRange(0, 4).Draw(t, "rows") {
		table.Rows = append(table.Rows, sheet.Row{Cells: rapid.SliceOfN(cell, width, width).Draw(t, "cells")})
	}
	return table
}
