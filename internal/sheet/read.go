package sheet

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"huiyin/internal/fault"
)

// Read reads a table of either format; the first row with any text is the header. What is wrong with the file is a fault of kind
// Invalid; cells and rows that break a limit are listed together, in its More.
func Read(r io.Reader, limits Limits) (Table, error) {
	def := DefaultLimits()
	limits.Bytes = cmp.Or(limits.Bytes, def.Bytes)
	limits.Rows = cmp.Or(limits.Rows, def.Rows)
	limits.Columns = cmp.Or(limits.Columns, def.Columns)
	limits.Cell = cmp.Or(limits.Cell, def.Cell)

	data, err := io.ReadAll(io.LimitReader(r, limits.Bytes+1))
	if err != nil {
		return Table{}, fmt.Errorf("reading the file: %w", err)
	}
	if int64(len(data)) > limits.Bytes {
		return Table{}, tooBig(limits)
	}
	b := &builder{limits: limits}
	switch {
	case bytes.HasPrefix(data, []byte("PK\x03\x04")):
		err = readXLSX(data, b)
	case bytes.HasPrefix(data, []byte("\xd0\xcf\x11\xe0")):
		err = fault.New(fault.Invalid, "sheet.old") // Excel 97, or XLSX with a password: both are OLE files
	default:
		err = readCSV(data, b)
	}
	if err != nil {
		return Table{}, err
	}
	if err := fault.Join(b.problems...); err != nil {
		return Table{}, err
	}
	if b.table.Header == nil {
		return Table{}, fault.New(fault.Invalid, "sheet.empty")
	}
	return b.table, nil
}

func tooBig(limits Limits) error {
	return fault.New(fault.Invalid, "sheet.bytes", "MiB", max(limits.Bytes>>20, 1))
}

// builder collects rows into a table within limits.
type builder struct {
	limits   Limits
	table    Table
	problems []*fault.Fault
}

// enough problems to be worth a list; after them reading stops.
const enough = 100

// add takes the next row of the file. cells belong to the builder afterwards.
func (b *builder) add(number int, cells []string) error {
	for len(cells) > 0 && strings.TrimSpace(cells[len(cells)-1]) == "" && len(cells) > len(b.table.Header) {
		cells = cells[:len(cells)-1]
	}
	if blank(cells) {
		return nil
	}
	for i, cell := range cells[:min(len(cells), b.limits.Columns)] {
		if len(cell) > b.limits.Cell && utf8.RuneCountInString(cell) > b.limits.Cell {
			b.complain("sheet.cell", "Row", number, "Column", Column(i), "Limit", b.limits.Cell)
		}
	}
	if b.table.Header == nil {
		if len(cells) > b.limits.Columns {
			return fault.New(fault.Invalid, "sheet.columns", "Limit", b.limits.Columns)
		}
		b.table.Header, b.table.HeaderRow = cells, number
		return nil
	}
	if len(b.table.Rows) == b.limits.Rows {
		return fault.New(fault.Invalid, "sheet.rows", "Limit", b.limits.Rows)
	}
	if width := len(b.table.Header); len(cells) > width {
		b.complain("sheet.wide", "Row", number, "Column", Column(width), "Width", width)
	} else if len(cells) < width {
		cells = append(cells, make([]string, width-len(cells))...)
	}
	b.table.Rows = append(b.table.Rows, Row{Number: number, Cells: cells})
	if len(b.problems) >= enough {
		return fault.Join(b.problems...)
	}
	return nil
}

func (b *builder) complain(key string, args ...any) {
	b.problems = append(b.problems, fault.New(fault.Invalid, key, args...))
}

func blank(cells []string) bool {
	for _, cell := range cells {
		if strings.TrimSpace(cell) != "" {
			return false
		}
	}
	return true
}
