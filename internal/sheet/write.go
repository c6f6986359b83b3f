package sheet

import (
	"fmt"
	"io"
)

// Write writes the table so that Read gives the same header and cells again, and so that no spreadsheet program takes a cell for a
// formula. Texts are valid UTF-8. XLSX cannot hold control characters, which are left out, nor more than 32,767 UTF-16 units in a
// cell, which is a fault of kind Invalid. Row numbers are not written: the header is row 1.
func Write(w io.Writer, format Format, t Table) error {
	switch format {
	case CSV:
		return writeCSV(w, t)
	case XLSX:
		return writeXLSX(w, t)
	}
	return fmt.Errorf("writing a table: no format %q", format)
}
