// Package errs holds the five kinds of refusal that a caller may branch on, and
// the two texts that every refusal has: what a person reads, and the cause for
// the log.
//
// A domain package returns
//
//	errs.New(errs.Conflict, "the roster is already frozen", "ask the other host for its list")
//
// and wraps lower errors with fmt.Errorf and %w as usual. Whoever shows an error
// calls [Describe]: it finds the message and the hint that may be shown, and
// never shows the cause of an error that has no message of its own. Everything
// without a kind is internal.
//
// Faults in a file that a person wrote are a [Faults]: every fault with its
// place, not only the first.
package errs

import (
	"errors"
	"fmt"
)

// Kind says what sort of refusal an error is.
type Kind uint8

// The kinds. Internal is the zero value: a defect or a broken machine, not
// something that the caller did.
const (
	Internal    Kind = iota
	NotFound         // what was asked for does not exist, or may not be known to exist
	Conflict         // the state forbids it; repeating will not help
	Invalid          // the input is wrong; the message says where and what is allowed
	Denied           // the caller may not
	Unavailable      // not now; the same call may succeed later
)

var kindNames = [...]string{"internal", "not found", "conflict", "invalid", "denied", "unavailable"}

func (k Kind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return fmt.Sprintf("errs.Kind(%d)", uint8(k))
}

// Error is a refusal that a person can read.
type Error struct {
	Kind    Kind
	Message string // the fact: lower case, no full stop, no blame
	Hint    string // the way out, or empty
	Cause   error  // for the log alone; may be nil
}

// New returns a refusal with a message and, unless empty, a hint.
func New(kind Kind, message, hint string) *Error {
	return &Error{Kind: kind, Message: message, Hint: hint}
}

// Wrap returns a refusal that keeps cause for the log.
func Wrap(cause error, kind Kind, message, hint string) *Error {
	return &Error{Kind: kind, Message: message, Hint: hint, Cause: cause}
}

// Error returns the message and, for the log, the cause.
func (e *Error) Error() string {
	if e.Cause == nil {
		return e.Message
	}
	return e.Message + ": " + e.Cause.Error()
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Cause }

// KindOf returns the kind of the outermost [Error] or [Faults] in err's chain,
// or Internal.
func KindOf(err error) Kind {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Kind
	}
	if _, ok := errors.AsType[Faults](err); ok {
		return Invalid
	}
	return Internal
}

// Description is what may be shown of an error.
type Description struct {
	Kind    Kind
	Message string
	Hint    string
	Faults  Faults // the faults of a file, or nil
}

// Describe returns what may be shown of err. The text of an internal error is
// not shown: it may hold anything.
func Describe(err error) Description {
	if faults, ok := errors.AsType[Faults](err); ok {
		return Description{Kind: Invalid, Message: faults.Error(), Faults: faults}
	}
	if e, ok := errors.AsType[*Error](err); ok {
		return Description{Kind: e.Kind, Message: e.Message, Hint: e.Hint}
	}
	return Description{Kind: Internal, Message: "internal error", Hint: "the log has the cause"}
}
