-- Host names that the server's operator has handed to an account: it may claim each, and every name below.
CREATE TABLE account_domain (domain TEXT PRIMARY KEY, account_id BIGINT NOT NULL REFERENCES account (id));
CREATE INDEX account_domain_by_account ON account_domain (account_id);
