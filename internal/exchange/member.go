package exchange

import (
	"path"
	"strings"

	"golang.org/x/text/unicode/norm"

	"muster/internal/coalition"
	"muster/internal/errs"
)

// MemberName returns the member whose answers the file of that base name holds: the
// name before ".csv" (in either case), in form C, because file systems differ in the
// form that they keep. The error is of kind Invalid and says what is allowed; the
// name in it is quoted.
func MemberName(file string) (string, error) {
	ext := path.Ext(file)
	if strings.ToLower(ext) != answersExt {
		return "", errs.New(errs.Invalid, errs.Quote(file)+" does not end in .csv", "name the file after its member: member.csv")
	}
	name := norm.NFC.String(strings.TrimSuffix(file, ext))
	if reason := badName(name); reason != "" {
		return "", errs.New(errs.Invalid, "the file name "+errs.Quote(file)+" "+reason, allowedName)
	}
	return name, nil
}

const (
	answersExt  = ".csv"
	allowedName = "member.csv; 1 to 64 characters before .csv, no space at either end, no control, direction or invisible characters"
)

// badName says what is wrong with a member's name, or nothing.
func badName(name string) string {
	switch {
	case name == "":
		return "names no member"
	case strings.TrimSpace(name) != name:
		return "has a space before or after the member's name"
	case strings.ToLower(path.Ext(name)) == answersExt:
		return "ends in .csv twice"
	}
	return coalition.NameFault(name)
}
