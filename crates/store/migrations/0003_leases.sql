-- Slices of limits that replicas hold. `meter` is what is limited, `period` when a budget's period ends (0: never).

-- What was handed out of each limit, or spent before anybody was asked.
CREATE TABLE lease_pools (
    account TEXT NOT NULL,
    meter TEXT NOT NULL,
    period {int} NOT NULL,
    -- Of a window; 0 for what has none.
    ends_at {int} NOT NULL,
    granted {int} NOT NULL,
    -- By the last statement.
    added {int} NOT NULL,
    PRIMARY KEY (account, meter, period)
){strict};

-- Who holds what outlasts a window.
CREATE TABLE leases (
    account TEXT NOT NULL,
    meter TEXT NOT NULL,
    period {int} NOT NULL,
    replica TEXT NOT NULL,
    granted {int} NOT NULL,
    used {int} NOT NULL,
    -- The replica's statement that wrote this: an older one that comes late changes nothing.
    turn {int} NOT NULL,
    PRIMARY KEY (account, meter, period, replica)
){strict};

CREATE TABLE replicas (
    replica TEXT NOT NULL PRIMARY KEY,
    seen_at {int} NOT NULL
){strict};
