package feishu

import (
	"bytes"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestAFrameIsReadAsItWasWritten(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := frame{
			seq: rapid.Uint64().Draw(t, "seq"), log: rapid.Uint64().Draw(t, "log"), service: rapid.Int32().Draw(t, "service"), method: rapid.Int32().Draw(t, "method"),
			encoding: rapid.String().Draw(t, "encoding"), kind: rapid.String().Draw(t, "kind"), logID: rapid.String().Draw(t, "log id"),
		}
		for range rapid.IntRange(0, 5).Draw(t, "headers") {
			want.headers = append(want.headers, frameHeader{rapid.String().Draw(t, "key"), rapid.String().Draw(t, "value")})
		}
		if p := rapid.SliceOf(rapid.Byte()).Draw(t, "payload"); len(p) > 0 {
			want.payload = p
		}
		got, err := decodeFrame(want.encode())
		if diff := cmp.Diff(want, got, cmp.AllowUnexported(frame{}, frameHeader{})); err != nil || diff != "" {
			t.Fatalf("%v (-written +read)\n%s", err, diff)
		}
	})
}

func TestPiecesAreATogetherInAnyOrder(t *testing.T) {
	piece := func(id string, seq, sum int, text string) frame {
		return frame{payload: []byte(text), headers: []frameHeader{{"message_id", id}, {"seq", strconv.Itoa(seq)}, {"sum", strconv.Itoa(sum)}}}
	}
	var p pieces
	for i, in := range []frame{piece("a", 2, 3, "!"), piece("b", 0, 2, "x"), piece("a", 0, 3, "he"), piece("a", 0, 3, "he"), piece("c", 5, 2, "?"), piece("c", 0, 9999, "?"), piece("c", -1, 2, "?")} {
		if _, whole := p.add(in); whole {
			t.Errorf("piece %d made a whole", i)
		}
	}
	if got, whole := p.add(piece("a", 1, 3, "llo")); !whole || string(got) != "hello!" {
		t.Errorf("the pieces are %q, %v", got, whole)
	}
	if got, whole := p.add(piece("d", 0, 1, "alone")); !whole || string(got) != "alone" {
		t.Errorf("a whole is %q, %v", got, whole)
	}
	for i := range 1000 {
		p.add(piece(strconv.Itoa(i), 0, 2, "half"))
	}
	if len(p.parts) > maxPartial+1 || len(p.order) > maxPartial {
		t.Errorf("%d unfinished payloads are kept", len(p.parts))
	}
}

func FuzzFrame(f *testing.F) {
	f.Add(frame{seq: 1, service: 2, method: data, headers: []frameHeader{{"type", "event"}}, payload: []byte("{}")}.encode())
	f.Add([]byte{0x2a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01})
	f.Fuzz(func(t *testing.T, raw []byte) {
		in, err := decodeFrame(raw)
		if err != nil {
			return
		}
		again, err := decodeFrame(in.encode())
		if err != nil || again.get("type") != in.get("type") || !bytes.Equal(again.payload, in.payload) {
			t.Errorf("read again it is %+v, %v", again, err)
		}
	})
}
