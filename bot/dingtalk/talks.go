package dingtalk

import (
	"sync"
	"time"
)

// A session webhook takes twenty messages a minute, and then nobody's for ten minutes. We stop short of it and answer by the API instead.
// https://open.dingtalk.com/document/orgapp/custom-robot-access
const (
	talkMost  = 18
	talkSpan  = time.Minute
	mutedFor  = 10 * time.Minute
	codeMuted = "130101"
	talkPlace = 10_000 // conversations remembered
)

// talks remembers how much was said through the session webhook of each conversation.
type talks struct {
	mu    sync.Mutex
	said  map[string][]time.Time
	muted map[string]time.Time // until when
}

func newTalks() *talks { return &talks{said: map[string][]time.Time{}, muted: map[string]time.Time{}} }

// mayTalk takes a turn in a conversation if there is one.
func (t *talks) mayTalk(conversation string, now time.Time) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if now.Before(t.muted[conversation]) {
		return false
	}
	if len(t.said) > talkPlace {
		clear(t.said)
	}
	var lately []time.Time
	for _, at := range t.said[conversation] {
		if now.Sub(at) <= talkSpan {
			lately = append(lately, at)
		}
	}
	if len(lately) >= talkMost {
		t.said[conversation] = lately
		return false
	}
	t.said[conversation] = append(lately, now)
	return true
}

func (t *talks) mute(conversation string, now time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.muted) > talkPlace {
		clear(t.muted)
	}
	t.muted[conversation] = now.Add(mutedFor)
}
