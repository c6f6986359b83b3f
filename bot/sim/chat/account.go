package chat

import "strings"

// account is somebody on one platform. One person may have several.
type account struct{ on, user string }

// named is the platform of a name.
func (s *site) named(name string) (platform, bool) {
	for _, p := range s.platforms {
		if p.name() == name {
			return p, true
		}
	}
	return nil, false
}

// readAccount reads an account as addresses have it: an id on the tab's platform, or PLATFORM:id.
func (s *site) readAccount(text, tab string) account {
	if on, user, marked := strings.Cut(text, ":"); marked {
		if _, known := s.named(on); known {
			return account{on: on, user: user}
		}
	}
	return account{on: tab, user: text}
}

func (a account) write(tab string) string {
	if a.user == "" || a.on == tab {
		return a.user
	}
	return a.on + ":" + a.user
}

// find looks up somebody whom one can play: no bots.
func (s *site) find(a account) (person, bool) {
	p, ok := s.named(a.on)
	if !ok || a.user == "" {
		return person{}, false
	}
	for _, who := range p.people() {
		if who.id == a.user && !who.bot {
			return who, true
		}
	}
	return person{}, false
}

// elsewhere are the accounts of the same person, in the order of the platforms; the one that is asked about is among them.
func (s *site) elsewhere(a account) []account {
	key := s.profiles[a].Person
	var out []account
	for _, p := range s.platforms {
		if p.name() == a.on {
			out = append(out, a)
			continue
		}
		for _, other := range s.humans[key] {
			if _, there := s.find(other); key != "" && other.on == p.name() && there {
				out = append(out, other)
				break
			}
		}
	}
	return out
}
