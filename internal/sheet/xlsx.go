package sheet

import (
	"bytes"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
	"unicode/utf16"

	"github.com/xuri/excelize/v2"

	"huiyin/internal/fault"
)

// An XLSX file is a ZIP: its content may be far larger than the file.
const (
	unzipped = 256 << 20 // bytes; beyond it the file is refused
	inMemory = 16 << 20  // bytes of one part; beyond it excelize uses a temporary file
)

func readXLSX(data []byte, b *builder) error {
	f, err := excelize.OpenReader(bytes.NewReader(data), excelize.Options{UnzipSizeLimit: unzipped, UnzipXMLSizeLimit: inMemory})
	if err != nil {
		if strings.Contains(err.Error(), "unzip size exceeds") { // excelize has no type for it (lib.go, newUnzipSizeLimitError)
			return tooBig(b.limits)
		}
		return damaged(err)
	}
	defer f.Close()
	return readWorksheet(f, b)
}

// readWorksheet reads the first worksheet as it is stored, and numbers as they are meant.
func readWorksheet(f *excelize.File, b *builder) error {
	names := f.GetSheetList()
	if len(names) == 0 {
		return fault.New(fault.Invalid, "sheet.empty")
	}
	formats := cellFormats{file: f, sheet: names[0], byStyle: map[int]cellFormat{}}
	if props, err := f.GetWorkbookProps(); err == nil && props.Date1904 != nil {
		formats.date1904 = *props.Date1904
	}
	rows, err := f.Rows(names[0])
	if err != nil {
		return damaged(err)
	}
	defer rows.Close()
	for number := 1; rows.Next(); number++ {
		cells, err := rows.Columns(excelize.Options{RawCellValue: true})
		if err != nil {
			return damaged(err)
		}
		for i := range cells {
			if cells[i], err = formats.text(i, number, cells[i]); err != nil {
				return damaged(err)
			}
			cells[i] = unguard(cells[i], false)
		}
		if err := b.add(number, cells); err != nil {
			return err
		}
	}
	if err := rows.Error(); err != nil {
		return damaged(err)
	}
	return nil
}

func damaged(err error) error { return fault.New(fault.Invalid, "sheet.damaged").Because(err) }

// cellFormats knows how numbers of a worksheet are meant.
type cellFormats struct {
	file     *excelize.File
	sheet    string
	date1904 bool
	byStyle  map[int]cellFormat
}

type cellFormat int

const (
	asStored cellFormat = iota // every digit, without thousands separators and currency
	asShown                    // leading zeros, and everything that is no number
	asDate
	asPercent
)

// text is what a cell says.
func (c *cellFormats) text(column, row int, stored string) (string, error) {
	number, err := strconv.ParseFloat(stored, 64)
	if err != nil {
		return stored, nil //nolint:nilerr // it is no number, and texts are stored as they are meant
	}
	cell, err := excelize.CoordinatesToCellName(column+1, row)
	if err != nil {
		return "", fmt.Errorf("naming a cell: %w", err)
	}
	kind, err := c.file.GetCellType(c.sheet, cell)
	if err != nil {
		return "", fmt.Errorf("reading the type of %s: %w", cell, err)
	}
	format := asShown // a text of digits, or yes and no
	if kind == excelize.CellTypeUnset || kind == excelize.CellTypeNumber {
		if format, err = c.formatOf(cell); err != nil {
			return "", err
		}
	}
	switch format {
	case asDate:
		if at, err := excelize.ExcelDateToTime(number, c.date1904); err == nil {
			return isoDate(at), nil
		}
	case asPercent:
		return strconv.FormatFloat(round(number*100), 'f', -1, 64) + "%", nil
	case asShown:
		shown, err := c.file.GetCellValue(c.sheet, cell)
		if err != nil {
			return "", fmt.Errorf("reading %s: %w", cell, err)
		}
		return shown, nil
	case asStored:
	}
	if strings.ContainsAny(stored, "eE") {
		return strconv.FormatFloat(number, 'f', -1, 64), nil
	}
	return stored, nil
}

func (c *cellFormats) formatOf(cell string) (cellFormat, error) {
	style, err := c.file.GetCellStyle(c.sheet, cell)
	if err != nil {
		return asShown, fmt.Errorf("reading the style of %s: %w", cell, err)
	}
	format, known := c.byStyle[style]
	if !known {
		if format, err = c.format(style); err != nil {
			return asShown, err
		}
		c.byStyle[style] = format
	}
	return format, nil
}

// round takes away what the multiplication by 100 added: a spreadsheet's number has 15 digits.
func round(x float64) float64 {
	r, err := strconv.ParseFloat(strconv.FormatFloat(x, 'g', 15, 64), 64)
	if err != nil {
		return x
	}
	return r
}

func isoDate(at time.Time) string {
	at = at.Round(time.Second)
	if at.Equal(at.Truncate(24 * time.Hour)) {
		return at.Format(time.DateOnly)
	}
	return at.Format(time.DateTime)
}

// format reads a style's number format: numbered ones are of ECMA-376 part 1, 18.8.30, where 27 to 36 and 50 to 58 are dates in
// Chinese and Japanese.
func (c *cellFormats) format(style int) (cellFormat, error) {
	s, err := c.file.GetStyle(style)
	if err != nil {
		return asShown, fmt.Errorf("reading a style: %w", err)
	}
	if s.CustomNumFmt != nil {
		return customFormat(*s.CustomNumFmt), nil
	}
	switch n := s.NumFmt; {
	case n == 9 || n == 10:
		return asPercent, nil
	case n >= 14 && n <= 17, n == 22, n >= 27 && n <= 31, n == 36, n >= 50 && n <= 54, n == 57, n == 58:
		return asDate, nil
	case n == 49 || n >= 18 && n <= 21 || n >= 32 && n <= 35 || n == 55 || n == 56 || n >= 45 && n <= 47:
		return asShown, nil // text, and times of day
	}
	return asStored, nil
}

// customFormat judges a format code such as yyyy"年"m"月"d"日" by its letters outside quotes, brackets and escapes.
func customFormat(code string) cellFormat {
	code, _, _ = strings.Cut(code, ";") // positive numbers come first
	var letters strings.Builder
	for i := 0; i < len(code); i++ {
		switch code[i] {
		case '"', '[':
			end := strings.IndexByte(code[i+1:], map[byte]byte{'"': '"', '[': ']'}[code[i]])
			if end < 0 {
				end = len(code)
			}
			i += end + 1
		case '\\', '_', '*', '!':
			i++
		default:
			letters.WriteByte(code[i])
		}
	}
	bare := strings.ToLower(letters.String())
	switch {
	case strings.ContainsAny(bare, "yd") && !strings.Contains(bare, "general"), bare == "m":
		return asDate
	case strings.Contains(bare, "%"):
		return asPercent
	case strings.ContainsAny(bare, "hs") || bare == "@" || strings.HasPrefix(bare, "00"):
		return asShown
	}
	return asStored
}

// worksheet is the name of the only worksheet that is written; Excel gives new files the same.
const worksheet = "Sheet1"

func writeXLSX(w io.Writer, t Table) error {
	f := excelize.NewFile()
	defer f.Close()
	out, err := f.NewStreamWriter(worksheet)
	if err != nil {
		return fmt.Errorf("starting a worksheet: %w", err)
	}
	if err := out.SetPanes(&excelize.Panes{Freeze: true, YSplit: 1, TopLeftCell: "A2", ActivePane: "bottomLeft"}); err != nil {
		return fmt.Errorf("freezing the header: %w", err)
	}
	write := func(row int, cells []string) error {
		values := make([]any, len(cells))
		for i, cell := range cells {
			text := printable(guard(cell, false))
			if len(text) > excelize.TotalCellChars && len(utf16.Encode([]rune(text))) > excelize.TotalCellChars {
				return fault.New(fault.Invalid, "sheet.cell", "Row", row, "Column", Column(i), "Limit", excelize.TotalCellChars)
			}
			values[i] = text
		}
		if err := out.SetRow("A"+strconv.Itoa(row), values); err != nil {
			return fmt.Errorf("writing row %d: %w", row, err)
		}
		return nil
	}
	if err := write(1, t.Header); err != nil {
		return err
	}
	for i, row := range t.Rows {
		if err := write(i+2, row.Cells); err != nil {
			return err
		}
	}
	if err := out.Flush(); err != nil {
		return fmt.Errorf("finishing the worksheet: %w", err)
	}
	if err := f.Write(w); err != nil {
		return fmt.Errorf("writing XLSX: %w", err)
	}
	return nil
}

// printable leaves out the control characters that XML cannot carry (https://www.w3.org/TR/xml/#charsets).
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if r < 0x20 && r != '\t' && r != '\n' && r != '\r' || r == 0xfffe || r == 0xffff {
			return -1
		}
		return r
	}, text)
}
