// Package e2e holds conversations with the whole product: the app as it is served, on a real Postgres and a Redis that can be flushed,
// with a simulated vendor at the other end of real HTTP and a clock that the conversation moves. A conversation is a script that says
// what people do and what they see, and is played on every platform. The package knows what people see and nothing of how it came about.
package e2e
