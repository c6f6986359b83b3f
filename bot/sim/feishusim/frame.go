package feishusim

import (
	"encoding/binary"
	"errors"
	"slices"
)

// Frame is one message of a long connection in either direction, pbbp2.Frame of the vendor's protocol: SeqID=1 uint64,
// LogID=2 uint64, service=3 int32, method=4 int32, headers=5 repeated {key=1, value=2}, payload_encoding=6, payload_type=7,
// payload=8 bytes, LogIDNew=9. The first four, and a header's two, are required.
type Frame struct {
	SeqID, LogID    uint64
	Service, Method int32
	Headers         []Header
	PayloadEncoding string
	PayloadType     string
	Payload         []byte
	LogIDNew        string
}

// Header is one header of a Frame.
type Header struct{ Key, Value string }

// The methods of a Frame.
const (
	methodControl = 0 // ping, pong
	methodData    = 1 // event, card
)

// Get returns the value of the first header with this key.
func (f Frame) Get(key string) string {
	i := slices.IndexFunc(f.Headers, func(h Header) bool { return h.Key == key })
	if i < 0 {
		return ""
	}
	return f.Headers[i].Value
}

// Marshal encodes a frame.
func (f Frame) Marshal() []byte {
	var b []byte
	number := func(field int, v uint64) { b = binary.AppendUvarint(binary.AppendUvarint(b, uint64(field)<<3), v) }
	number(1, f.SeqID)
	number(2, f.LogID)
	number(3, uint64(int64(f.Service))) // a negative int32 takes ten bytes
	number(4, uint64(int64(f.Method)))
	for _, h := range f.Headers {
		b = appendBytes(b, 5, appendBytes(appendBytes(nil, 1, []byte(h.Key)), 2, []byte(h.Value)))
	}
	b = appendBytes(b, 6, []byte(f.PayloadEncoding))
	b = appendBytes(b, 7, []byte(f.PayloadType))
	if f.Payload != nil {
		b = appendBytes(b, 8, f.Payload)
	}
	b = appendBytes(b, 9, []byte(f.LogIDNew))
	return b
}

func appendBytes(b []byte, field int, v []byte) []byte {
	b = binary.AppendUvarint(b, uint64(field)<<3|2)
	b = binary.AppendUvarint(b, uint64(len(v)))
	return append(b, v...)
}

var errFrame = errors.New("not a frame")

// UnmarshalFrame decodes a frame. Unknown fields are skipped; what is required and missing, a wrong wire type or a length
// beyond the end is an error.
func UnmarshalFrame(b []byte) (Frame, error) {
	var f Frame
	seen := map[int]bool{}
	err := fields(b, func(field int, n uint64, v []byte, isNumber bool) error {
		if wantsNumber := field <= 4; field <= 9 && wantsNumber != isNumber {
			return errFrame
		}
		seen[field] = true
		switch field {
		case 1:
			f.SeqID = n
		case 2:
			f.LogID = n
		case 3:
			f.Service = int32(uint32(n)) // the wire carries the low 32 bits
		case 4:
			f.Method = int32(uint32(n)) // the same
		case 5:
			h, err := unmarshalHeader(v)
			f.Headers = append(f.Headers, h)
			return err
		case 6:
			f.PayloadEncoding = string(v)
		case 7:
			f.PayloadType = string(v)
		case 8:
			f.Payload = append([]byte{}, v...)
		case 9:
			f.LogIDNew = string(v)
		}
		return nil
	})
	if err != nil {
		return Frame{}, err
	}
	if !seen[1] || !seen[2] || !seen[3] || !seen[4] {
		return Frame{}, errFrame
	}
	return f, nil
}

func unmarshalHeader(b []byte) (Header, error) {
	var h Header
	seen := 0
	err := fields(b, func(field int, _ uint64, v []byte, isNumber bool) error {
		switch {
		case field <= 2 && isNumber:
			return errFrame
		case field == 1:
			h.Key = string(v)
			seen |= 1
		case field == 2:
			h.Value = string(v)
			seen |= 2
		}
		return nil
	})
	if err == nil && seen != 3 {
		err = errFrame
	}
	return h, err
}

// fields walks a protobuf message: numbers (wire types 0, 1, 5) and bytes (wire type 2).
func fields(b []byte, each func(field int, n uint64, v []byte, isNumber bool) error) error {
	uvarint := func() (uint64, error) {
		v, n := binary.Uvarint(b)
		if n <= 0 {
			return 0, errFrame
		}
		b = b[n:]
		return v, nil
	}
	for len(b) > 0 {
		key, err := uvarint()
		if err != nil {
			return err
		}
		if key>>3 == 0 || key>>3 > 1<<29 {
			return errFrame
		}
		field := int(key >> 3) // bounded above
		size := uint64(0)
		switch key & 7 {
		case 0:
			n, err := uvarint()
			if err != nil {
				return err
			}
			if err := each(field, n, nil, true); err != nil {
				return err
			}
			continue
		case 1:
			size = 8
		case 5:
			size = 4
		case 2:
			if size, err = uvarint(); err != nil {
				return err
			}
		default:
			return errFrame
		}
		if size > uint64(len(b)) {
			return errFrame
		}
		if err := each(field, 0, b[:size], key&7 != 2); err != nil {
			return err
		}
		b = b[size:]
	}
	return nil
}
