/* Kinds of things.
   Two lines of comment; with a semicolon. */
DROP TABLE IF EXISTS more;
CREATE TABLE more (
  id INTEGER PRIMARY KEY,
  kind TEXT NOT NULL CHECK (kind IN ('a', 'b'))
);

INSERT INTO more VALUES (1, 'a'); INSERT INTO more
  VALUES (2, 'b');
-- the end
