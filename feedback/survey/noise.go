package survey

import (
	"crypto/rand"
	"encoding/binary"
	"math/big"
	mathrand "math/rand/v2"
)

// source draws from the operating system's generator. There is no way to hand in another: a shuffle or a noise that somebody can
// repeat hides nothing.
type source struct{}

// Uint64 gives 64 random bits.
func (source) Uint64() uint64 {
	var b [8]byte
	_, _ = rand.Read(b[:]) // never gives an error: it ends the program instead
	return binary.LittleEndian.Uint64(b[:])
}

// dice is unbiased; math/rand/v2 brings only the arithmetic of ranges and shuffles.
func dice() *mathrand.Rand { return mathrand.New(source{}) }

// laplace draws an integer from the discrete Laplace distribution with the given scale, P(x) ~ exp(-|x|/scale). A total of n answers from
// 1 to 5 changes by at most 4 when one answer does, so scale 4 gives ε = 1. Exact integer arithmetic throughout: noise in floating
// point has holes that give the total away (Mironov 2012). Algorithm: Canonne, Kamath, Steinke 2020, algorithm 2.
func laplace(d *mathrand.Rand, scale int64) int64 {
	for {
		u := d.Int64N(scale)
		if !bernoulliExp(d, u, scale) { // keeps u with probability exp(-u/scale)
			continue
		}
		v := int64(0)
		for bernoulliExp(d, 1, 1) {
			v++
		}
		x := u + scale*v
		negative := d.Uint64()&1 == 1
		if negative && x == 0 {
			continue // zero would count twice
		}
		if negative {
			return -x
		}
		return x
	}
}

// bernoulliExp is true with probability exp(-num/den), for num/den from 0 to 1, exactly (algorithm 1 of the same paper).
func bernoulliExp(d *mathrand.Rand, num, den int64) bool {
	for k := int64(1); ; k++ {
		if d.Int64N(den*k) >= num { // continues with probability num/(den·k)
			return k%2 == 1
		}
	}
}

// span is how far one answer can move a total.
const span = scale - 1

// noisy is the mean shown of a total with noise of ε = 1.
func noisy(sum, n int) Half {
	return ratioShown(big.NewInt(int64(sum)+laplace(dice(), span)), n)
}
