package web

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"time"
	"unicode/utf8"
)

// Calendar writes iCalendar (RFC 5545): one event a day, without an alarm.
type Calendar struct {
	Now     time.Time
	Product string // that wrote it, such as "workspace"
	Scope   string // within which the name of a day is one
	Marking string // that every day has to show; else empty

	events strings.Builder
}

// Day adds a day on which something is due. name is what it is, of one scope: the same
// again replaces the event in whatever holds it.
func (c *Calendar) Day(name string, day time.Time, summary, about string) {
	if c.Marking != "" {
		summary = c.Marking + ": " + summary
	}
	sum := sha256.Sum256([]byte(c.Scope + "\x00" + name))
	line := func(text string) { c.events.WriteString(folded(text)) }
	line("BEGIN:VEVENT")
	line("UID:" + hex.EncodeToString(sum[:16]) + "@muster.invalid")
	line("DTSTAMP:" + c.Now.UTC().Format("20060102T150405Z"))
	line("DTSTART;VALUE=DATE:" + day.Format("20060102"))
	line("DTEND;VALUE=DATE:" + day.AddDate(0, 0, 1).Format("20060102"))
	line("SUMMARY:" + calendarText(summary))
	if about != "" {
		line("DESCRIPTION:" + calendarText(about))
	}
	line("TRANSP:TRANSPARENT")
	line("END:VEVENT")
}

// File returns the calendar with the days that were added.
func (c *Calendar) File() string {
	return "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//muster//" + c.Product + "//EN\r\nCALSCALE:GREGORIAN\r\n" + c.events.String() + "END:VCALENDAR\r\n"
}

// calendarText escapes a text (RFC 5545 3.3.11).
func calendarText(s string) string {
	return strings.NewReplacer(`\`, `\\`, ";", `\;`, ",", `\,`, "\n", `\n`).Replace(s)
}

// folded ends a line, which is at most 75 octets long and goes on behind a space
// (RFC 5545 3.1). No character is taken apart.
func folded(line string) string {
	const most = 75
	var b strings.Builder
	room := most
	for _, r := range line {
		if n := utf8.RuneLen(r); n > room {
			b.WriteString("\r\n ")
			room = most - 1 - n
		} else {
			room -= n
		}
		b.WriteRune(r)
	}
	return b.String() + "\r\n"
}
