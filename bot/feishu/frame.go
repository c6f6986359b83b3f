package feishu

import (
	"encoding/binary"
	"errors"
	"slices"
	"strconv"
)

// frame is one message of a long connection in either direction, in protocol buffers: pbbp2.proto of the vendor's SDK, whose generated
// code would bring a library of its own along for nine fields.
type frame struct {
	seq, log        uint64 // 1, 2
	service, method int32  // 3, 4
	headers         []frameHeader
	encoding, kind  string // 6, 7
	payload         []byte // 8
	logID           string // 9
}

type frameHeader struct{ key, value string } // 5

// The methods of a frame.
const (
	control = 0 // ping and pong
	data    = 1 // events and what we answer
)

func (f frame) get(key string) string {
	i := slices.IndexFunc(f.headers, func(h frameHeader) bool { return h.key == key })
	if i < 0 {
		return ""
	}
	return f.headers[i].value
}

func (f frame) number(key string) int {
	n, err := strconv.Atoi(f.get(key))
	if err != nil {
		return 0
	}
	return n
}

func (f frame) encode() []byte {
	var b []byte
	number := func(field uint64, v uint64) { b = binary.AppendUvarint(binary.AppendUvarint(b, field<<3), v) }
	number(1, f.seq)
	number(2, f.log)
	number(3, uint64(int64(f.service))) //nolint:gosec // the wire keeps the sign so
	number(4, uint64(int64(f.method)))  //nolint:gosec // the same
	for _, h := range f.headers {
		b = appendField(b, 5, appendField(appendField(nil, 1, []byte(h.key)), 2, []byte(h.value)))
	}
	for field, v := range [][]byte{6: []byte(f.encoding), 7: []byte(f.kind), 8: f.payload, 9: []byte(f.logID)} {
		if len(v) > 0 {
			b = appendField(b, uint64(field), v) //nolint:gosec // 6 to 9
		}
	}
	return b
}

func appendField(b []byte, field uint64, v []byte) []byte {
	b = binary.AppendUvarint(b, field<<3|2)
	return append(binary.AppendUvarint(b, uint64(len(v))), v...)
}

var errFrame = errors.New("not a frame")

// decodeFrame reads a frame. Fields that it does not know are passed over.
func decodeFrame(raw []byte) (frame, error) {
	var f frame
	err := eachField(raw, func(field uint64, n uint64, v []byte) {
		switch field {
		case 1:
			f.seq = n
		case 2:
			f.log = n
		case 3:
			f.service = int32(n) //nolint:gosec // the low 32 bits are the number
		case 4:
			f.method = int32(n) //nolint:gosec // the same
		case 5:
			var h frameHeader
			if eachField(v, func(field uint64, _ uint64, v []byte) {
				switch field {
				case 1:
					h.key = string(v)
				case 2:
					h.value = string(v)
				}
			}) == nil {
				f.headers = append(f.headers, h)
			}
		case 6:
			f.encoding = string(v)
		case 7:
			f.kind = string(v)
		case 8:
			f.payload = v
		case 9:
			f.logID = string(v)
		}
	})
	return f, err
}

// eachField walks a message of protocol buffers: numbers, and bytes that lie in raw.
func eachField(raw []byte, each func(field, number uint64, bytes []byte)) error {
	for len(raw) > 0 {
		key, n := binary.Uvarint(raw)
		if n <= 0 {
			return errFrame
		}
		raw = raw[n:]
		size := uint64(0)
		switch key & 7 {
		case 0:
			v, n := binary.Uvarint(raw)
			if n <= 0 {
				return errFrame
			}
			raw = raw[n:]
			each(key>>3, v, nil)
			continue
		case 1:
			size = 8
		case 2:
			v, n := binary.Uvarint(raw)
			if n <= 0 {
				return errFrame
			}
			raw, size = raw[n:], v
		case 5:
			size = 4
		default:
			return errFrame
		}
		if size > uint64(len(raw)) {
			return errFrame
		}
		each(key>>3, 0, raw[:size])
		raw = raw[size:]
	}
	return nil
}

// pieces puts payloads together that came in several frames. It forgets the oldest when too many are unfinished.
type pieces struct {
	parts map[string][][]byte
	order []string
}

const (
	maxPieces  = 64 // of one payload
	maxPartial = 32 // payloads unfinished at once
)

// add takes a frame's piece and gives the payload once it is whole.
func (p *pieces) add(f frame) (payload []byte, whole bool) {
	sum, seq, id := f.number("sum"), f.number("seq"), f.get("message_id")
	if sum <= 1 {
		return f.payload, true
	}
	if sum > maxPieces || seq < 0 || seq >= sum {
		return nil, false
	}
	if p.parts == nil {
		p.parts = map[string][][]byte{}
	}
	parts := p.parts[id]
	if len(parts) != sum {
		if parts == nil {
			p.order = append(p.order, id)
		}
		parts = make([][]byte, sum)
		p.parts[id] = parts
	}
	if len(p.order) > maxPartial {
		delete(p.parts, p.order[0])
		p.order = p.order[1:]
	}
	if parts[seq] = f.payload; slices.ContainsFunc(parts, func(b []byte) bool { return b == nil }) {
		return nil, false
	}
	delete(p.parts, id)
	p.order = slices.DeleteFunc(p.order, func(s string) bool { return s == id })
	return slices.Concat(parts...), true
}
