package sheet

import (
	"bufio"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"huiyin/internal/fault"
)

// The reader is our own because encoding/csv turns CRLF inside a cell into LF and skips blank lines without counting them, and
// then neither would our exports come back unchanged nor would a problem name the row that the person sees.

const byteOrderMark = "\ufeff"

// records splits CSV text (RFC 4180; line ends CRLF, LF or CR) and calls yield with each record and its 1-based number, which is the
// row that spreadsheet programs show. A quote inside an unquoted cell is text, as those programs have it.
func records(text string, comma byte, yield func(number int, cells []string) error) error {
	number := 1
	var cells []string
	for pos := 0; pos < len(text); {
		var cell string
		if text[pos] == '"' {
			quoted, next, ok := quotedCell(text, pos+1)
			if !ok {
				return fault.New(fault.Invalid, "sheet.quote", "Row", number)
			}
			cell, pos = quoted, next
		}
		end := pos
		for end < len(text) && text[end] != comma && text[end] != '\n' && text[end] != '\r' {
			end++
		}
		cell += text[pos:end]
		cells = append(cells, cell)
		if end < len(text) && text[end] == comma {
			pos = end + 1
			if pos < len(text) {
				continue
			}
			cells = append(cells, "") // the file ends right after a delimiter
		}
		if err := yield(number, cells); err != nil {
			return err
		}
		number, cells = number+1, nil
		if pos = end + 1; strings.HasPrefix(text[min(end, len(text)):], "\r\n") {
			pos++
		}
	}
	return nil
}

// quotedCell reads from behind the opening quote to behind the closing one.
func quotedCell(text string, from int) (cell string, next int, ok bool) {
	var b strings.Builder
	for pos := from; ; {
		at := strings.IndexByte(text[pos:], '"')
		if at < 0 {
			return "", 0, false
		}
		b.WriteString(text[pos : pos+at])
		pos += at + 1
		if pos == len(text) || text[pos] != '"' {
			return b.String(), pos, true
		}
		b.WriteByte('"')
		pos++
	}
}

// delimiter is the one that stands most often in the first line with any text, quoted cells aside. In doubt it is the comma.
func delimiter(text string) byte {
	text = strings.TrimLeft(text, "\r\n")
	counts := map[byte]int{}
	quoted := false
	for i := range len(text) {
		c := text[i]
		if c == '"' {
			quoted = !quoted
		}
		if quoted {
			continue
		}
		if c == '\n' || c == '\r' {
			break
		}
		counts[c]++
	}
	best := byte(',')
	for _, c := range []byte{';', '\t'} {
		if counts[c] > counts[best] {
			best = c
		}
	}
	return best
}

// announced reads Excel's own first line "sep=;", if there is one. Excel does not show it, so it counts as no row.
func announced(text string) (comma byte, rest string, ok bool) {
	after, ok := strings.CutPrefix(text, "sep=")
	if !ok || after == "" || !strings.Contains(",;\t", after[:1]) {
		return 0, text, false
	}
	for _, end := range []string{"\r\n", "\n", "\r"} {
		if rest, ok = strings.CutPrefix(after[1:], end); ok {
			return after[0], rest, true
		}
	}
	return 0, text, false
}

func readCSV(data []byte, b *builder) error {
	text, err := decode(data)
	if err != nil {
		return err
	}
	comma, text, ok := announced(text)
	if !ok {
		comma = delimiter(text)
	}
	return records(text, comma, func(number int, cells []string) error {
		for i := range cells {
			cells[i] = unguard(cells[i], true)
		}
		return b.add(number, cells)
	})
}

func writeCSV(w io.Writer, t Table) error {
	out := bufio.NewWriter(w)
	write := func(cells []string) {
		for i, cell := range cells {
			if i > 0 {
				out.WriteByte(',')
			}
			out.WriteString(quote(guard(cell, true)))
		}
		out.WriteString("\r\n")
	}
	out.WriteString(byteOrderMark) // without it Excel takes the file for the machine's old code page
	write(t.Header)
	for _, row := range t.Rows {
		write(row.Cells)
	}
	if err := out.Flush(); err != nil { // a bufio.Writer keeps the first error of all writes
		return fmt.Errorf("writing CSV: %w", err)
	}
	return nil
}

// quote follows RFC 4180 and also quotes what another delimiter, a trimming program or the line "sep=" would take apart.
func quote(cell string) string {
	first, _ := utf8.DecodeRuneInString(cell)
	if !strings.ContainsAny(cell, ",;\t\r\n\"' ") && !strings.HasPrefix(cell, "sep=") && first != '\ufeff' {
		return cell
	}
	return `"` + strings.ReplaceAll(cell, `"`, `""`) + `"`
}
