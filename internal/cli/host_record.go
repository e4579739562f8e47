package cli

import (
	"bytes"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/spf13/cobra"

	"muster/internal/ledger"
)

func newHostRecordCmd(env Env) *cobra.Command {
	var dir, out string
	cmd := &cobra.Command{
		Use:   "record --dir DIR [--out FILE]",
		Short: "Print this host's record, checked",
		Long: `Print the record that this host keeps of the cycle: what was decided and done, in
order, one signed line an entry. Every line is checked first. It names no member
and no time of a submission.

A copy that lies elsewhere, at the other host or the coordinator, shows later
whether lines were dropped from the end.`,
		Example: `  muster host record --dir ostmere --out record.jsonl`,
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			k, err := readHost(dir)
			if err != nil {
				return err
			}
			db, err := k.database(cmd.Context())
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, db.Close()) }()
			var b bytes.Buffer
			if err := db.WriteRecord(cmd.Context(), &b); err != nil {
				return err
			}
			_, tail, err := ledger.ReadAll(bytes.NewReader(b.Bytes()), keyOf(k.charter, k.role))
			if err != nil {
				return err
			}
			if out == "" {
				if _, err := env.Out.Write(b.Bytes()); err != nil {
					return err
				}
			} else if err := realDisk().writeOutput(filepath.Dir(out), []outputFile{{filepath.Base(out), b.Bytes(), 0o644}}, nil); err != nil {
				return err
			}
			say(env, "the record has %s", tailText(tail))
			return nil
		},
	}
	dirFlag(cmd, &dir, "this host")
	cmd.Flags().StringVar(&out, "out", "", "write it to a file, not to the output")
	return cmd
}

func tailText(t ledger.Tail) string {
	if t.Lines == 0 {
		return "no line yet"
	}
	return fmt.Sprintf("%s and ends in %s", plural(t.Lines, "1 line", "%d lines"), t.Digest)
}
