-- +goose Up

-- Each payment changes a card. For a list of more than two constants the engine makes a
-- table of them, for each row anew: that took as long as all else of the change. The
-- same said with OR takes none. Only the text of a condition changes, and not what it
-- means, so no row has to be looked at (sqlite.org/lang_altertable.html, section 7).
PRAGMA writable_schema = ON;
UPDATE sqlite_schema SET sql = replace(replace(sql,
    'CHECK (pin_status IN (''NotSet'', ''Active'', ''Blocked'', ''PendingChipUpdate''))',
    'CHECK (pin_status = ''NotSet'' OR pin_status = ''Active'' OR pin_status = ''Blocked'' OR pin_status = ''PendingChipUpdate'')'),
    'CHECK (chip_script IN ('''', ''PinChange'', ''PinUnblock''))',
    'CHECK (chip_script = '''' OR chip_script = ''PinChange'' OR chip_script = ''PinUnblock'')')
    WHERE type = 'table' AND name = 'card';
PRAGMA writable_schema = RESET;
