-- Offsets are kept in the catalog itself: a file for each would cost more than its row. They are appended and
-- never updated, as updates conflict between writers. (A table takes options only once it is committed.)
CALL lake.set_option('data_inlining_row_limit', 100, table_name => 'offsets');
