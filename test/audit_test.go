package test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sarraf-platform/sarraf/internal/db"
)

// TestAudit_namesWhatAnAdministratorChanged plays one who may write to the
// database: whatever is done to the record of who did what, the binary names the
// row, and a checkpoint that was kept elsewhere finds what the rows alone cannot
// tell.
func TestAudit_namesWhatAnAdministratorChanged(t *testing.T) {
	eachEngine(t, func(t *testing.T, dir string, flags []string) {
		s := serve(t, dir, flags...)
		made := newTenant(t, flags)
		issue(t, made.openBank(t, s), 1)

		audit := func(args ...string) (string, bool) {
			t.Helper()
			output, err := exec.Command(binary, append(append([]string{"audit"}, args...), flags...)...).CombinedOutput()
			return string(output), err == nil
		}
		if out, ok := audit("verify"); !ok || !strings.Contains(out, "found 0 faults") {
			t.Fatalf("whole, while it is served: %s", out)
		}
		signed, ok := audit("checkpoint", "--tenant", made.ID)
		if !ok {
			t.Fatal(signed)
		}
		kept := filepath.Join(t.TempDir(), "checkpoint.json")
		if err := os.WriteFile(kept, []byte(signed), 0o600); err != nil {
			t.Fatal(err)
		}
		if out, ok := audit("verify", "--checkpoint", kept); !ok {
			t.Fatalf("with its checkpoint: %s", out)
		}
		s.command.Process.Kill()
		<-s.ended

		for _, change := range []struct{ name, text, back, want string }{
			{"altered", `UPDATE audit_act SET action = 'Nothing' WHERE position = 3`, "", "row 3: it was altered"},
			{"swapped", `UPDATE audit_act SET position = CASE position WHEN 6 THEN 7 ELSE 6 END + 100000 WHERE position IN (6, 7)`,
				`UPDATE audit_act SET position = position - 100000 WHERE position > 100000`, "row 6: it was altered, or does not follow the row before it"},
			{"removed", `DELETE FROM audit_act WHERE position = 2`, "", "row 2: it is missing"},
		} {
			tamper(t, flags, change.text, change.back)
			out, ok := audit("verify", "--json")
			if ok || !strings.Contains(out, change.want) {
				t.Errorf("%s: %s", change.name, out)
			}
		}
		if out, ok := audit("verify", "--checkpoint", strings.Replace(kept, "checkpoint", "nothing", 1)); ok || !strings.Contains(out, "read checkpoint") {
			t.Errorf("a checkpoint that is not there: %s", out)
		}
		forged := filepath.Join(t.TempDir(), "forged.json")
		if err := os.WriteFile(forged, []byte(strings.Replace(signed, `"position": `, `"position": 1`, 1)), 0o600); err != nil {
			t.Fatal(err)
		}
		if out, ok := audit("verify", "--checkpoint", forged); ok || !strings.Contains(out, "the signature of the checkpoint is wrong") {
			t.Errorf("a forged checkpoint: %s", out)
		}
	})
}

// tamper does what the triggers refuse, as an administrator can: without them.
func tamper(t *testing.T, flags []string, statements ...string) {
	t.Helper()
	d, err := db.Open(t.Context(), flags[3], db.Options{})
	if err != nil {
		t.Fatal(err)
	}
	err = d.InTx(t.Context(), func(tx db.Tx) error {
		if d.Engine() == db.Postgres {
			statements = append([]string{"SET LOCAL session_replication_role = replica"}, statements...)
		} else {
			statements = append([]string{
				"PRAGMA defer_foreign_keys = ON", "DROP TRIGGER IF EXISTS audit_act_stays", "DROP TRIGGER IF EXISTS audit_act_remains",
				"DELETE FROM audit_personal",
			}, statements...)
		}
		for _, text := range statements {
			if text == "" {
				continue
			}
			if _, err := tx.Exec(t.Context(), text); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
}
