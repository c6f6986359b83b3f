package chat

import "errors"

// formless is a platform whose client has neither forms of its own beside its cards nor a home page of the bot's.
type formless struct{}

var errFormless = errors.New("this platform has no forms beside its cards")

func (formless) modal(reader) (screen, bool) { return screen{}, false }

func (formless) home(reader) (screen, bool) { return screen{}, false }

func (formless) submit(reader, string, entered) (outcome, error) { return outcome{}, errFormless }

func (formless) dismiss(string, string) error { return errFormless }

func (formless) openHome(string) error { return errFormless }
