package sheet

import (
	"bytes"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/unicode"

	"huiyin/internal/fault"
)

// decode gives the text of a file whose encoding nobody tells: a byte order mark decides; without one it is UTF-8 when it is valid
// UTF-8, and otherwise GB18030, which contains GBK and GB2312, the encodings of a Chinese Excel. GBK text that is valid UTF-8 by
// accident is too short to be a table.
func decode(data []byte) (string, error) {
	var from encoding.Encoding
	switch {
	case bytes.HasPrefix(data, []byte{0xff, 0xfe}), bytes.HasPrefix(data, []byte{0xfe, 0xff}):
		from = unicode.UTF16(unicode.LittleEndian, unicode.ExpectBOM) // Excel's "Unicode text"
	case utf8.Valid(data):
		return strings.TrimPrefix(string(data), byteOrderMark), nil
	case bytes.HasPrefix(data, []byte(byteOrderMark)):
		return "", fault.New(fault.Invalid, "sheet.encoding")
	default:
		from = simplifiedchinese.GB18030
	}
	text, err := from.NewDecoder().Bytes(data)
	if err != nil || bytes.ContainsRune(text, utf8.RuneError) {
		return "", fault.New(fault.Invalid, "sheet.encoding").Because(err)
	}
	return string(text), nil
}
