-- Ids are compared byte by byte, as SQLite does, whatever the database's locale.
CREATE DOMAIN ascii_text AS text COLLATE "C";
