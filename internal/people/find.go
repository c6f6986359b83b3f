package people

import (
	"cmp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/google/uuid"
	"golang.org/x/text/width"
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

// Sure is the person meant, when a search leaves no doubt: the query names exactly one person, or it is an employee number or an
// e-mail address. Somebody's English name may be another's pinyin; then and for every hint the choice is the person's own. A search
// with a Limit of 1 cannot tell.
func Sure(found []Candidate) (Person, bool) {
	if len(found) == 0 || !found[0].Exact() {
		return Person{}, false
	}
	if len(found) > 1 && (found[1].How == found[0].How || found[0].How > ByEmail && found[1].Exact()) {
		return Person{}, false
	}
	return found[0].Person, true
}

// Receiver is a name at the beginning of a text and the people it may mean; Found is empty for an @ that names nobody.
type Receiver struct {
	Typed string
	Found []Candidate
}

// nameIndex knows every way to write the name of every active person. It is built when the first name is looked up and never changed.
type nameIndex struct {
	exact map[string][]named // by folded name
	keys  []string           // of exact, in order
}

type named struct {
	id  uuid.UUID
	how How
}

func indexNames(d *Directory) *nameIndex {
	x := &nameIndex{exact: map[string][]named{}}
	for _, p := range d.People() {
		if !p.Active {
			continue
		}
		x.add(p.ID, ByNumber, p.EmployeeNo)
		x.add(p.ID, ByEmail, p.Email)
		for _, name := range []string{p.Name, p.NameEn} {
			x.add(p.ID, ByName, wordOrders(name)...)
			x.add(p.ID, ByInitials, wordInitials(name))
		}
		for _, i := range d.confirmed(p.ID) {
			x.add(p.ID, ByEmail, i.Email)
			x.add(p.ID, ByDisplayName, wordOrders(i.Name)...)
		}
		full, initials := spellings(p.Name)
		x.add(p.ID, ByPinyin, full...)
		x.add(p.ID, ByInitials, initials...)
		x.add(p.ID, ByPrefix, givenName(p.Name))
	}
	for key := range x.exact {
		x.keys = append(x.keys, key)
	}
	slices.Sort(x.keys)
	return x
}

// add files a person under names; the surest way wins.
func (x *nameIndex) add(id uuid.UUID, how How, names ...string) {
	for _, name := range names {
		key := foldName(name)
		if key == "" {
			continue
		}
		known := x.exact[key]
		if !slices.ContainsFunc(known, func(n named) bool { return n.id == id && n.how <= how }) {
			x.exact[key] = append(known, named{id, how})
		}
	}
}

// foldName makes names comparable: half-width lower case without spaces, dots, hyphens, apostrophes and a leading @.
func foldName(s string) string {
	s = strings.ToLower(width.Fold.String(strings.TrimLeft(strings.TrimSpace(s), "@＠")))
	return strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || strings.ContainsRune(".-'’·•_", r) {
			return -1
		}
		return r
	}, s)
}

// wordOrders are the name as it is written and with its first word last: Lin Xiao and Xiao Lin.
func wordOrders(name string) []string {
	words := strings.Fields(name)
	if len(words) < 2 {
		return []string{name}
	}
	return []string{name, strings.Join(words[1:], " ") + " " + words[0], words[len(words)-1] + " " + strings.Join(words[:len(words)-1], " ")}
}

func wordInitials(name string) string {
	words := strings.Fields(name)
	if len(words) < 2 {
		return ""
	}
	var b strings.Builder
	for _, w := range words {
		r, _ := utf8.DecodeRuneInString(w)
		b.WriteRune(r)
	}
	return b.String()
}

// enoughFound is how many candidates are gathered before they are ordered and cut.
const enoughFound = 200

// Find gives the active people whom a typed name may mean, the surest first.
func (d *Directory) Find(query string, o FindOptions) []Candidate {
	if len(query) > 4*longestEmail {
		return nil
	}
	key := foldName(query)
	if key == "" {
		return nil
	}
	x := d.names()
	best := map[uuid.UUID]How{}
	see := func(list []named, atLeast How) {
		for _, n := range list {
			how := max(n.how, atLeast)
			if known, ok := best[n.id]; len(best) < enoughFound && (!ok || how < known) {
				best[n.id] = how
			}
		}
	}
	see(x.exact[key], ByNumber)
	if len(best) == 0 {
		at, _ := slices.BinarySearch(x.keys, key)
		for ; at < len(x.keys) && strings.HasPrefix(x.keys[at], key) && len(best) < enoughFound; at++ {
			see(x.exact[x.keys[at]], ByPrefix)
		}
	}
	if len(best) == 0 && utf8.RuneCountInString(key) <= longestGlued {
		sounds, _ := spellings(key) // 林小 for 林晓: the usual slip of those who type by sound
		for _, sound := range sounds {
			see(x.exact[sound], ByTypo)
		}
	}
	if slips := allowedSlips(key); len(best) == 0 && slips > 0 {
		typed := []rune(key)
		for _, k := range x.keys {
			if len(k) < len(key)-3*slips || len(k) > len(key)+3*slips {
				continue
			}
			if distance(typed, []rune(k), slips+1) <= slips {
				see(x.exact[k], ByTypo)
			}
		}
	}
	return d.ranked(best, o)
}

// allowedSlips is how many letters of a typed name may be wrong. Short names and Chinese ones are too near to each other.
func allowedSlips(key string) int {
	n := utf8.RuneCountInString(key)
	switch {
	case n != len(key) || n < 4:
		return 0
	case n < 8:
		return 1
	}
	return 2
}

// ranked orders candidates: the surest first, among equals those near to somebody, then by name and number.
func (d *Directory) ranked(best map[uuid.UUID]How, o FindOptions) []Candidate {
	near, known := d.Person(o.Near)
	closeness := func(p Person) int {
		switch {
		case !known:
			return 0
		case d.InLine(near.ID, p.ID) || d.InLine(p.ID, near.ID):
			return 0
		case p.Department != "" && p.Department == near.Department:
			return 1
		}
		return 2
	}
	var out []Candidate
	for id, how := range best {
		out = append(out, Candidate{Person: *d.people[id], How: how})
	}
	slices.SortFunc(out, func(a, b Candidate) int {
		return cmp.Or(cmp.Compare(a.How, b.How), cmp.Compare(closeness(a.Person), closeness(b.Person)),
			cmp.Compare(a.Person.Name, b.Person.Name), cmp.Compare(a.Person.EmployeeNo, b.Person.EmployeeNo))
	})
	limit := o.Limit
	if limit == 0 {
		limit = 10
	}
	return out[:min(limit, len(out))]
}
