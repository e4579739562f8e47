package dap_test

import (
	"crypto/sha256"
	"fmt"

	"muster/dap"
)

// A client seals its two shares, the Leader passes one on, and the Helper opens
// it.
func Example() {
	// Leader, Helper and client agree on the task.
	interval, _ := dap.NewTaskInterval(dap.Interval{Start: 2870, Duration: 8})
	cfg := dap.TaskConfiguration{
		TaskInfo:                 []byte("an example"),
		LeaderAggregatorEndpoint: "https://leader.example/",
		HelperAggregatorEndpoint: "https://helper.example/",
		TimePrecision:            604800, // a week
		MinBatchSize:             22,
		BatchMode:                dap.BatchModeTimeInterval,
		VdafType:                 1, // Prio3Count
		Extensions:               []dap.Extension{interval},
	}
	seed := make([]byte, dap.MinSeedSize) // known to Leader and Helper alone; really random
	id, err := dap.DeriveTaskID(sha256.Sum256(seed), cfg)
	if err != nil {
		fmt.Println(err)
		return
	}
	leader, _ := dap.GenerateHpkeKeypair(1, dap.SuiteX25519)
	helper, _ := dap.GenerateHpkeKeypair(2, dap.SuiteX25519)

	// The client seals what its VDAF made of the measurement.
	task, err := dap.NewTaskAad(dap.Variant18, id, cfg)
	if err != nil {
		fmt.Println(err)
		return
	}
	now, _ := dap.TimeFromUnix(1737000000, cfg.TimePrecision)
	metadata := dap.ReportMetadata{ReportID: dap.ReportID{7}, Time: now} // really random
	report, _ := task.Report(metadata, nil)
	forLeader, _ := report.Seal(leader.Config(), dap.RoleLeader, dap.PlaintextInputShare{Payload: []byte("left half")})
	forHelper, _ := report.Seal(helper.Config(), dap.RoleHelper, dap.PlaintextInputShare{Payload: []byte("right half")})
	body, err := dap.Encode(dap.Variant18, dap.UploadRequest{Reports: []dap.Report{{
		ReportMetadata:            metadata,
		LeaderEncryptedInputShare: forLeader,
		HelperEncryptedInputShare: forHelper,
	}}})
	if err != nil {
		fmt.Println(err)
		return
	}

	// What arrives is decoded, and the Helper opens its share.
	upload, err := dap.Decode[dap.UploadRequest](dap.Variant18, body)
	if err != nil {
		fmt.Println(err)
		return
	}
	got := upload.Reports[0]
	report, _ = task.Report(got.ReportMetadata, got.PublicShare)
	share, err := report.Open(helper, dap.RoleHelper, got.HelperEncryptedInputShare)
	fmt.Printf("%s %v\n", share.Payload, err)

	// A Helper that believes in another minimum cannot open it.
	cfg.MinBatchSize = 2
	task, _ = dap.NewTaskAad(dap.Variant18, id, cfg)
	report, _ = task.Report(got.ReportMetadata, got.PublicShare)
	_, err = report.Open(helper, dap.RoleHelper, got.HelperEncryptedInputShare)
	fmt.Println(err)

	// Output:
	// right half <nil>
	// dap: sealed share does not open
}

func ExampleDecode() {
	_, err := dap.Decode[dap.HpkeCiphertext](dap.Variant18, []byte{1, 0, 2, 0xaa})
	fmt.Println(err)
	// Output: dap: decode HpkeCiphertext: enc: at byte 3: cut off: 2 bytes wanted, 1 left
}

func ExampleTaskID_String() {
	id := dap.TaskID{0xf0, 0x16, 0x34, 0x47}
	fmt.Println(id)
	// Output: 8BY0RwAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA
}
