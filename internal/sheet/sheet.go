// Package sheet reads and writes tables that people edit in spreadsheet programs: CSV in the encodings and with the delimiters
// that those programs leave behind, and XLSX. A cell is the text a person sees, with the row and column where they see it. The
// package does not know what any column means, and nothing that it writes can run as a formula (RELIABILITY R16).
package sheet

import "github.com/xuri/excelize/v2"

// Table is a header and the rows under it. Every row has exactly as many cells as the header; rows without any text are left out.
type Table struct {
	Header    []string
	HeaderRow int // number of the header's row, as in Row
	Rows      []Row
}

// Row is one row of a table. Number is 1-based as the spreadsheet program counts it, the header and blank rows included; it is 0
// in a table that was never in a file.
type Row struct {
	Number int
	Cells  []string
}

// Format is a kind of file.
type Format string

// The formats that can be written. Reading recognises the format by the content, whatever the file is called.
const (
	CSV  Format = "csv"  // UTF-8 with a byte order mark, comma, CRLF
	XLSX Format = "xlsx" // one worksheet, every cell a text
)

// Limits bound what Read accepts. Zero fields take the value of DefaultLimits.
type Limits struct {
	Bytes   int64 // of the file
	Rows    int   // below the header, blank ones not counted
	Columns int
	Cell    int // characters of one cell
}

// DefaultLimits carry a firm of 100,000 people. A cell holds what Excel's holds
// (https://support.microsoft.com/office/excel-specifications-and-limits-1672b34d-7043-467e-8e27-269d656771c3).
func DefaultLimits() Limits {
	return Limits{Bytes: 64 << 20, Rows: 200_000, Columns: 200, Cell: 32_767}
}

// Column is the letter of the column with the given index: 0 is A, 26 is AA.
func Column(index int) string {
	name, err := excelize.ColumnNumberToName(index + 1)
	if err != nil {
		return ""
	}
	return name
}
