// node:sqlite - not there: what is called says so.
const { stubs } = require('node:internal/stubs');

module.exports = {
  ...stubs('sqlite', 'backup', 'DatabaseSync StatementSync'),
  constants: { SQLITE_CHANGESET_OMIT: 0, SQLITE_CHANGESET_REPLACE: 1, SQLITE_CHANGESET_ABORT: 2, SQLITE_CHANGESET_DATA: 1, SQLITE_CHANGESET_NOTFOUND: 2,
    SQLITE_CHANGESET_CONFLICT: 3, SQLITE_CHANGESET_CONSTRAINT: 4, SQLITE_CHANGESET_FOREIGN_KEY: 5 },
};
