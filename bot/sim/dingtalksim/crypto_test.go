package dingtalksim

import (
	"bytes"
	"encoding/base64"
	"testing"
)

// The vectors of open-dingtalk/DingTalk-Callback-Crypto: padding of 27 and of 31 bytes, beyond the cipher's block.
func TestTheVendorsEventVectors(t *testing.T) {
	for what, v := range map[string]struct{ token, key, owner, signature, timestamp, nonce, encrypt, plain string }{
		"success": {
			"tokenxxxx", "o1w0aum42yaptlz8alnhwikjd3jenzt9cb9wmzptgus", "dingxxxxxx", "f36f4ba5337d426c7d4bca0dbcb06b3ddc1388fc", "1605695694141",
			"WelUQl6bCqcBa2fM", "X1VSe9cTJUMZu60d3kyLYTrBq5578ZRJtteU94wG0Q4Uk6E/wQYeJRIC0/UFW5Wkya1Ihz9oXAdLlyC9TRaqsQ==", "success",
		},
		"check_url": {
			testToken, testKey, "ding6ccabc44d2c8d38b", "03044561471240d4a14bb09372dfcfd4fd0e40cb", "1608001896814", "WL4PK6yA",
			"0vJiX6vliEpwG3U45CtXqi+m8PXbQRARJ8p8BbDuD1EMTDf0jKpQ79QS93qEk7XHpP6u+oTTrd15NRPvNvmBKyDCYxxOK+HZeKju4yhELOFchzNukR+t8SB/qk4ROMu3",
			`{"EventType":"check_url"}`,
		},
	} {
		if got := SignEvent(v.token, v.timestamp, v.nonce, v.encrypt); got != v.signature {
			t.Errorf("%s is signed %s, want %s", what, got, v.signature)
		}
		plain, err := DecryptEvent(v.key, v.owner, v.encrypt)
		if err != nil || string(plain) != v.plain {
			t.Errorf("%s decrypts to %q, %v", what, plain, err)
		}
		if _, err := DecryptEvent(v.key, "dingother", v.encrypt); err == nil {
			t.Errorf("%s decrypts for another owner", what)
		}
		raw, err := base64.StdEncoding.DecodeString(v.encrypt)
		if err != nil {
			t.Fatal(err)
		}
		for name, bent := range map[string][]byte{"half a block": raw[:len(raw)-16], "a changed end": append(bytes.Clone(raw[:len(raw)-1]), raw[len(raw)-1]^1), "nothing": nil} {
			if _, err := DecryptEvent(v.key, v.owner, base64.StdEncoding.EncodeToString(bent)); err == nil {
				t.Errorf("%s with %s decrypts", what, name)
			}
		}
	}
}

func TestEventsOfEveryLengthSurviveEncryption(t *testing.T) {
	for n := range 70 {
		plain := []byte(letters(n))
		encrypted, err := EncryptEvent(testKey, testClient, [16]byte{9}, plain)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := DecryptEvent(testKey, testClient, encrypted); err != nil || !bytes.Equal(got, plain) {
			t.Errorf("%d bytes become %q, %v", n, got, err)
		}
	}
	if _, err := EncryptEvent("short", testClient, [16]byte{}, nil); err == nil {
		t.Error("a short key encrypts")
	}
}

func TestTheSignatureOfARobotMessage(t *testing.T) {
	if got := SignRobot(testSecret, "1577262236757"); got != "DJrE6qdyVGCQz9z5r2MDuNcNAhwYnuAkyj13cx169CA=" {
		t.Errorf("the signature is %s", got)
	}
}
