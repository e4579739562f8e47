package framework

import (
	"fmt"

	"muster/internal/errs"
)

// Level is what is answered about an outcome: a level of the scale, or why there
// is none. The zero value is [None]: no level was given, which is right for a
// verified level or a target and never for the level itself.
type Level uint8

// The levels. They do not equal their numbers: use [LevelOf] and [Level.Number].
const (
	None Level = iota
	Level0
	Level1
	Level2
	Level3
	Level4
	NotApplicable
	Withheld
)

var levelNames = [...]string{"none", "0", "1", "2", "3", "4", "na", "withheld"}

// LevelOf returns the level with that number, 0 to 4, and whether there is one.
func LevelOf(number int) (Level, bool) {
	if number < 0 || number >= Descriptors {
		return None, false
	}
	return Level0 + Level(number), true
}

// ParseLevel reads "0" to "4", "na" or "withheld". The caller decides what an
// empty cell means. The error is of kind Invalid and says what is allowed.
func ParseLevel(s string) (Level, error) {
	for l := Level0; l <= Withheld; l++ {
		if levelNames[l] == s {
			return l, nil
		}
	}
	return None, errs.New(errs.Invalid, "level "+errs.Quote(s)+" is not on the scale", "allowed: 0, 1, 2, 3, 4, na, withheld")
}

// Number returns 0 to 4 for a level of the scale, and false for any other.
func (l Level) Number() (int, bool) {
	if l < Level0 || l > Level4 {
		return 0, false
	}
	return int(l - Level0), true
}

// Given reports whether l is a level of the scale.
func (l Level) Given() bool { return Level0 <= l && l <= Level4 }

// String returns "0" to "4", "na", "withheld" or "none": also the bucket's name.
func (l Level) String() string {
	if int(l) < len(levelNames) {
		return levelNames[l]
	}
	return fmt.Sprintf("framework.Level(%d)", uint8(l))
}

// MarshalText returns what [Level.String] does, and refuses values that are none.
func (l Level) MarshalText() ([]byte, error) {
	if int(l) >= len(levelNames) {
		return nil, fmt.Errorf("marshal %s: no such level", l)
	}
	return []byte(levelNames[l]), nil
}

// UnmarshalText reads what [Level.MarshalText] writes, "none" included.
func (l *Level) UnmarshalText(text []byte) error {
	if string(text) == levelNames[None] {
		*l = None
		return nil
	}
	parsed, err := ParseLevel(string(text))
	if err != nil {
		return err
	}
	*l = parsed
	return nil
}

// Grade is the evidence behind an answer. The zero value is [NoEvidence].
type Grade uint8

// The grades.
const (
	NoEvidence Grade = iota // nothing was said
	E0                      // our word
	E1                      // a document
	E2                      // our own test
	E3                      // someone else's check
)

var gradeNames = [...]string{"none", "E0", "E1", "E2", "E3"}

// ParseGrade reads "E0" to "E3". The caller decides what an empty cell means.
// The error is of kind Invalid and says what is allowed.
func ParseGrade(s string) (Grade, error) {
	for g := E0; g <= E3; g++ {
		if gradeNames[g] == s {
			return g, nil
		}
	}
	return NoEvidence, errs.New(errs.Invalid, "evidence grade "+errs.Quote(s)+" does not exist", "allowed: E0, E1, E2, E3")
}

// String returns "E0" to "E3" or "none": also the bucket's name.
func (g Grade) String() string {
	if int(g) < len(gradeNames) {
		return gradeNames[g]
	}
	return fmt.Sprintf("framework.Grade(%d)", uint8(g))
}

// MarshalText returns what [Grade.String] does, and refuses values that are none.
func (g Grade) MarshalText() ([]byte, error) {
	if int(g) >= len(gradeNames) {
		return nil, fmt.Errorf("marshal %s: no such grade", g)
	}
	return []byte(gradeNames[g]), nil
}

// UnmarshalText reads what [Grade.MarshalText] writes, "none" included.
func (g *Grade) UnmarshalText(text []byte) error {
	if string(text) == gradeNames[NoEvidence] {
		*g = NoEvidence
		return nil
	}
	parsed, err := ParseGrade(string(text))
	if err != nil {
		return err
	}
	*g = parsed
	return nil
}
