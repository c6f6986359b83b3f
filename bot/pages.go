package bot

import (
	"context"

	"huiyin/bot/card"
)

// Pages shows forms and buttons as web pages, for platforms that cannot show them in a conversation. A page belongs to one account, has
// one effect and is gone after a while; what is done on it comes back as an event of that account, and the page shows the reply. The
// addresses prove who somebody is, so they are given to that person alone, where nobody else reads along.
type Pages interface {
	// Form gives the address of a page with the form.
	Form(ctx context.Context, to Reader, f card.Form) (address string, err error)
	// Button gives the address of a page that asks whether to do what the button does.
	Button(ctx context.Context, to Reader, b card.Button) (address string, err error)
}

// Reader is who a page is for, and where the conversation is that led to it.
type Reader struct {
	Platform, Tenant, User, Lang string
	Where                        Place
}
