package app

import "testing"

func TestATypingSlipFindsTheVerbThatWasMeant(t *testing.T) {
	names := []string{"serve", "demo", "migrate", "import", "export", "doctor"}
	for typed, want := range map[string]string{
		"sevre": "serve", "serv": "serve", "migrat": "migrate", "doctr": "doctor", "exprot": "export",
		"frobnicate": "", "": "", "s": "", "do": "",
	} {
		if got, _ := nearest(typed, names); got != want {
			t.Errorf("%q is taken for %q, want %q", typed, got, want)
		}
	}
}
