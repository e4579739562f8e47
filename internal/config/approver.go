package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"muster/internal/errs"
	"muster/internal/keys"
)

// formatApprover is the first line of what an approver's key file holds, locked.
const formatApprover = "muster approver key v1"

// CreateApproverKey writes the key of somebody who signs off, locked, to a file that
// nobody else may read. It is a Conflict if there is a file already.
func CreateApproverKey(path string, lock Lock, signer *keys.Signer) error {
	var locked bytes.Buffer
	out, err := lock.Encrypt(&locked)
	if err != nil {
		return fmt.Errorf("lock a key: %w", err)
	}
	_, err = io.WriteString(out, formatApprover+"\n"+signer.Private()+"\n")
	if err = errors.Join(err, out.Close()); err != nil {
		return fmt.Errorf("lock a key: %w", err)
	}
	return CreateSecret(path, locked.Bytes())
}

// ApproverKey opens the key of somebody who signs off. It is Denied if the lock is
// another. No error of it holds anything of the file.
func ApproverKey(path string, lock Lock) (*keys.Signer, error) {
	locked, err := ReadSecret(path)
	if err != nil {
		return nil, err
	}
	plain, err := lock.Decrypt(bytes.NewReader(locked))
	if err != nil {
		return nil, errs.Wrap(err, errs.Denied, strconv.Quote(path)+" does not open with this passphrase or key file", "is it the file that muster workspace signoff key made?")
	}
	broken := errs.New(errs.Invalid, strconv.Quote(path)+" holds no key of somebody who signs off", "muster workspace signoff key makes one")
	text, err := io.ReadAll(io.LimitReader(plain, maxLocked))
	if err != nil {
		return nil, broken
	}
	private, ok := strings.CutPrefix(string(text), formatApprover+"\n")
	if !ok {
		return nil, broken
	}
	signer, err := keys.ParseSigner(strings.TrimSuffix(private, "\n"))
	if err != nil {
		return nil, broken
	}
	return signer, nil
}
