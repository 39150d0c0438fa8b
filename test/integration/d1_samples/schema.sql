-- The tables of all samples; the test loads this file with `corral d1 execute`, as a tutorial would.
DROP TABLE IF EXISTS Customers;
CREATE TABLE IF NOT EXISTS Customers (CustomerId INTEGER PRIMARY KEY, CompanyName TEXT, ContactName TEXT);
INSERT INTO Customers (CustomerID, CompanyName, ContactName) VALUES (1, 'Alfreds Futterkiste', 'Maria Anders'), (4, 'Around the Horn', 'Thomas Hardy'), (11, 'Bs Beverages', 'Victoria Ashworth'), (13, 'Bs Beverages', 'Random Name');

CREATE TABLE IF NOT EXISTS comments (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  author TEXT NOT NULL,
  body TEXT NOT NULL,
  post_slug TEXT NOT NULL
);
CREATE INDEX idx_comments_post_slug ON comments (post_slug);
INSERT INTO comments (author, body, post_slug) VALUES ('Kristian', 'Great post!', 'hello-world');

CREATE TABLE books (id INTEGER PRIMARY KEY AUTOINCREMENT, title TEXT NOT NULL, description TEXT, created_at TEXT DEFAULT CURRENT_TIMESTAMP);
CREATE TABLE items (id INTEGER PRIMARY KEY, name TEXT NOT NULL, price REAL);
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 25) INSERT INTO items SELECT i, 'item ' || i, i * 0.5 FROM n;
CREATE TABLE hits (path TEXT PRIMARY KEY, count INTEGER NOT NULL DEFAULT 0, last_seen TEXT);
CREATE TABLE accounts (name TEXT PRIMARY KEY, balance INTEGER NOT NULL CHECK (balance >= 0));
INSERT INTO accounts VALUES ('alice', 100), ('bob', 20);
CREATE TABLE people (id INTEGER PRIMARY KEY, name TEXT NOT NULL, email TEXT UNIQUE, age INTEGER, active BOOLEAN NOT NULL DEFAULT TRUE);
CREATE TABLE profiles (user TEXT PRIMARY KEY, data JSON NOT NULL DEFAULT '{}', theme TEXT GENERATED ALWAYS AS (json_extract(data, '$.theme')) STORED);
CREATE TABLE pictures (name TEXT PRIMARY KEY, type TEXT, data BLOB);
CREATE VIRTUAL TABLE notes_fts USING fts5(title, body, tokenize = 'porter unicode61');
CREATE TABLE users (id INTEGER PRIMARY KEY AUTOINCREMENT, username TEXT UNIQUE NOT NULL, password_hash TEXT NOT NULL);
CREATE TABLE messages (id TEXT PRIMARY KEY, raw TEXT NOT NULL, synced INTEGER DEFAULT 0, created_at TEXT DEFAULT (datetime('now')));
CREATE TABLE authors (id INTEGER PRIMARY KEY, name TEXT NOT NULL);
CREATE TABLE works (id INTEGER PRIMARY KEY, author_id INTEGER NOT NULL REFERENCES authors(id) ON DELETE CASCADE, title TEXT NOT NULL);
CREATE TABLE events (id INTEGER PRIMARY KEY, name TEXT, happens_at TEXT, created_at INTEGER DEFAULT (unixepoch()));
CREATE TABLE links (slug TEXT PRIMARY KEY, url TEXT NOT NULL, clicks INTEGER DEFAULT 0);
CREATE TABLE log (id INTEGER PRIMARY KEY, line TEXT, at REAL);
CREATE TABLE todos (id INTEGER PRIMARY KEY AUTOINCREMENT, title TEXT NOT NULL, done INTEGER DEFAULT 0);
CREATE TABLE sensors (id TEXT, value REAL, at INTEGER, PRIMARY KEY (id, at)) WITHOUT ROWID;
