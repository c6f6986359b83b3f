package feishusim

import (
	"encoding/hex"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Both were encoded by the vendor's own generated code (oapi-sdk-go v3.12.0, ws/pbbp2.pb.go).
const (
	vendorEvent = "08071080808080802018f681801020012a0d0a047479706512056576656e742a110a0a6d6573736167655f696412036d2d312a080a0373756d1201312a080a" +
		"0373657112013032003a046a736f6e420b7b2261223a22e5ad97227d4a036c6f67"
	vendorPing = "0800100018ffffffffffffffffff0120002a0c0a0474797065120470696e6732003a004a00"
)

func TestFramesAreTheVendorsByteForByte(t *testing.T) {
	want := map[string]Frame{
		vendorEvent: {
			SeqID: 7, LogID: 1 << 40, Service: 33554678, Method: 1, PayloadType: "json", Payload: []byte(`{"a":"字"}`), LogIDNew: "log",
			Headers: []Header{{"type", "event"}, {"message_id", "m-1"}, {"sum", "1"}, {"seq", "0"}},
		},
		vendorPing: {Service: -1, Headers: []Header{{"type", "ping"}}},
	}
	for encoded, f := range want {
		if got := hex.EncodeToString(f.Marshal()); got != encoded {
			t.Errorf("a frame encodes to\n%s, want\n%s", got, encoded)
		}
		raw, err := hex.DecodeString(encoded)
		if err != nil {
			t.Fatal(err)
		}
		got, err := UnmarshalFrame(raw)
		if err != nil {
			t.Fatalf("the vendor's frame is refused: %v", err)
		}
		if d := cmp.Diff(f, got); d != "" {
			t.Errorf("the vendor's frame decodes differently (-want +got):\n%s", d)
		}
	}
}

func TestWhatIsNoFrameIsRefused(t *testing.T) {
	whole, err := hex.DecodeString(vendorEvent)
	if err != nil {
		t.Fatal(err)
	}
	for n := range len(whole) - 1 {
		f, err := UnmarshalFrame(whole[:n])
		if err == nil && f.Get("seq") == "0" && f.LogIDNew == "log" {
			t.Errorf("a frame cut to %d bytes decodes as if it were whole", n)
		}
	}
	for what, raw := range map[string]string{
		"nothing": "", "no service": "080010002000", "a number for a payload": "08001000180020004001", "a text for a number": "0a0130",
		"a group": "0800100018002000" + "0b", "a length beyond the end": "080010001800200042ff01", "a header without value": "0800100018002000" + "2a030a0161",
		"an endless number": "08ffffffffffffffffffffff",
	} {
		b, err := hex.DecodeString(raw)
		if err != nil {
			t.Fatal(err)
		}
		if f, err := UnmarshalFrame(b); err == nil {
			t.Errorf("%s decodes to %+v", what, f)
		}
	}
	unknown, err := hex.DecodeString("0800100018002000" + "5201785d0000000061" + "0000000000000000")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := UnmarshalFrame(unknown); err != nil {
		t.Errorf("unknown fields are not skipped: %v", err)
	}
}

func FuzzUnmarshalFrame(f *testing.F) {
	for _, seed := range []string{vendorEvent, vendorPing, ""} {
		b, err := hex.DecodeString(seed)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		once, err := UnmarshalFrame(b)
		if err != nil {
			return
		}
		twice, err := UnmarshalFrame(once.Marshal())
		if d := cmp.Diff(once, twice); err != nil || d != "" {
			t.Errorf("a frame does not survive encoding: %v %s", err, d)
		}
	})
}
